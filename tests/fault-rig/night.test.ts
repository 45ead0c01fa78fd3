import { testProfiles } from "./judged.ts";

await testProfiles("F13", "F14");
