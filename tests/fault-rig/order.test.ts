import { testProfiles } from "./judged.ts";

await testProfiles("F10", "F11");
