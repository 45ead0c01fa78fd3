import { testProfiles } from "./judged.ts";

await testProfiles("F6");
