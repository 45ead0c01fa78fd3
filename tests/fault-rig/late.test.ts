import { testProfiles } from "./judged.ts";

await testProfiles("F5", "F10");
