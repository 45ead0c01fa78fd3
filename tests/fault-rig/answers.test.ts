import { testProfiles } from "./judged.ts";

await testProfiles("F3", "F4", "F7");
