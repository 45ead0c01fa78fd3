import { testProfiles } from "./judged.ts";

await testProfiles("F9", "F10", "F11");
