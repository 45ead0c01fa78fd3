/** What asks for the key set: the global `fetch`, or one's own. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;
