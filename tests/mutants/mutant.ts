/** A change of one file: the text, which must stand there exactly once, and what takes its place. */
export interface Edit {
  file: string;
  find: string;
  put: string;
}

/** A test by its file and its full name. */
export interface NamedTest {
  file: string;
  name: string;
}

/** A mistake that somebody could make, and the test that must fail for it. */
export interface Mutant {
  id: string;
  mistake: string;
  edits: Edit[];
  killedBy: NamedTest;
}

/** Makes the edits of one file. */
export const edit = (file: string, ...changes: [find: string, put: string][]): Edit[] =>
  changes.map(([find, put]) => ({ file, find, put }));

/** Applies an edit to the file's text. Throws if the source has moved on: then the mutant has to follow. */
export function applyEdit(source: string, { file, find, put }: Edit): string {
  const found = source.split(find).length - 1;
  if (found !== 1) throw new Error(`${file} has ${found} times, and should have once: ${find}`);
  return source.replace(find, () => put);
}
