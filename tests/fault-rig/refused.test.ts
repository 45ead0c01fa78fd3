import { testProfiles } from "./judged.ts";

await testProfiles("F7", "F8");
