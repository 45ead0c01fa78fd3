import { testProfiles } from "./judged.ts";

await testProfiles("F11", "F12");
