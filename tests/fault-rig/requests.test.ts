import { testProfiles } from "./judged.ts";

await testProfiles("F2", "F5", "F8");
