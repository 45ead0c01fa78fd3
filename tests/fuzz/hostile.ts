import fc from "fast-check";

const pieces = [
  ...["", " ", "\0", "\r\n", "\ufeff", "\ud800", "é", "𝕏", "ﷺ"],
  ..."% %00 %ff = ; , . .. ~ \" \\ ' { } [ ] : -1 1e999 null true __proto__ constructor prototype".split(" "),
];

/** Any of them, five thousand times: a slow reader would be seen. */
const repeated = fc.constantFrom(...pieces, "a", "a ", '"a":', "a.", "a@", "%41", '\\"');
const counts = fc.integer({ min: 2, max: 5_000 });
const long = fc.tuple(repeated, counts).map(([piece, count]) => piece.repeat(count));
const joined = fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join(""));

/** Any text: of any characters, of what breaks readers, or long. */
export const anyText = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 4, arbitrary: joined },
  { weight: 1, arbitrary: long },
);

/** A text that was sound, after a few cuts and insertions. */
export function mutated(sound: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const piece = fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: "binary", maxLength: 3 }));
  const edit = fc.tuple(fc.nat(2_000), fc.nat(6), piece);
  return fc.tuple(sound, fc.array(edit, { minLength: 1, maxLength: 3 })).map(([text, edits]) =>
    edits.reduce((before, [position, cut, piece]) => {
      const at = position % (before.length + 1);
      return before.slice(0, at) + piece + before.slice(at + cut);
    }, text),
  );
}

/** Any value that JSON has, with names that hurt. */
export const anyJson = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(null, true, false, 0, -1, 1.5, 1e308),
    anyText,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...pieces), fc.string()), tie("value"), { maxKeys: 4 }),
  ),
})).value;

const brackets = fc.constantFrom(["[", "]"], ['{"a":', "}"], ['{"__proto__":', "}"]);
/** JSON so deep that a reader which calls itself would run out of stack. */
export const deepJson = fc
  .tuple(brackets, fc.integer({ min: 100, max: 8_000 }))
  .map(([[open, close], depth]) => `${open?.repeat(depth)}1${close?.repeat(depth)}`);

export const anything = fc.oneof(
  fc.anything({ withNullPrototype: true, withBigInt: true, withMap: true, withTypedArray: true }),
  anyJson,
);
