// What oauth4webapi asks of the classes of fetch; the bundler puts these in their place (build/fetch-classes.ts). The first
// touch of Node's own loads undici, which takes longer than the rest of a cold start.

/** Headers of a request or a response. */
export class Headers extends Map<string, string> {
  constructor(members: Record<string, string> = {}) {
    super(Object.entries(members).map(([name, value]) => [name.toLowerCase(), value]));
  }

  override get(name: string): string | undefined {
    return super.get(name.toLowerCase());
  }

  append(name: string, value: string): void {
    const before = this.get(name);
    this.set(name.toLowerCase(), before === undefined ? value : `${before}, ${value}`);
  }
}

/** A response whose JSON has been read. */
export class Response {
  readonly bodyUsed = false;
  readonly body = undefined;
  readonly status: number;
  readonly headers: Headers;
  readonly #json: unknown;

  constructor(status: number, json: unknown, headers: Record<string, string> = {}) {
    this.status = status;
    this.headers = new Headers(headers);
    this.#json = json;
  }

  /** By it the library knows one, where it was not bundled. */
  get [Symbol.toStringTag](): string {
    return "Response";
  }

  clone(): Response {
    return this;
  }

  async json(): Promise<unknown> {
    return this.#json;
  }
}
