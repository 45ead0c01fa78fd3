interface ProgressOptions {
  output?: NodeJS.WritableStream & { isTTY?: boolean };
  /** Epoch milliseconds. */
  now?: () => number;
}

/** How many times a second it is drawn at most. */
const drawsPerSecond = 5;

/** Shows on a terminal how far a long work is; draws nothing into a file or a pipe. */
export function createProgress({ output = process.stderr, now = Date.now }: ProgressOptions = {}) {
  let drawnAt = 0;
  let isDrawn = false;
  return {
    /** Draws how far it is: a bar where `share` (0 to 1) is known, and what is done. */
    show(text: string, share?: number): void {
      if (!output.isTTY || now() - drawnAt < 1_000 / drawsPerSecond) return;
      drawnAt = now();
      isDrawn = true;
      output.write(`\r\u001b[K${share === undefined ? "" : `${drawBar(share)} `}${text}`);
    },

    /** Takes it away. */
    end(): void {
      if (isDrawn) output.write("\r\u001b[K");
    },
  };
}

const barLength = 24;

function drawBar(share: number): string {
  const done = Math.floor(Math.min(1, Math.max(0, share)) * barLength);
  return `[${"#".repeat(done)}${".".repeat(barLength - done)}] ${String(Math.floor(share * 100)).padStart(3)} %`;
}
