import {
  type Answer,
  answerText,
  type Call,
  callText,
  generationOf,
  type Item,
  itemText,
  shiftItem,
  type Token,
} from "./symbols.ts";

/** A request under way. Its salt's number is its identity. */
export interface Request {
  kind: "refresh" | "logout";
  who: "browser" | "thief";
  presented: Token;
  key: string | null;
  salt: number;
  sentAt: number;
  /** It was sent after a logout had been answered. */
  isAfterLogout: boolean;
  /** What the function has read off its clock; null before it has started. */
  clock: number | null;
  answers: Answer[];
  /** The store call under way, in the request's own time; null before the start and after the end. */
  call: Call | null;
  /** The pair of a 200 that has not reached its browser yet. */
  issued: Pair | null;
}

/** A pair, told from others by its refresh token and the time of its JWT. */
export interface Pair {
  token: Token;
  rotatedAt: number | null;
}

/** A write of a request that has ended; a delayed copy of it may still arrive. */
export interface Copy {
  call: Call;
  clock: number;
  sentAt: number;
}

/** All that the model knows at one moment. Times are relative to now. */
export interface World {
  item: Item | null;
  jar: Pair;
  /** The pairs that a thief has copied or been given, the copy first; empty before the theft. */
  stolen: Token[];
  /** Who has been issued a pair of a generation after the stolen one. */
  isAheadOfTheft: { browser: boolean; thief: boolean };
  isLogoutAnswered: boolean;
  requests: Request[];
  copies: Copy[];
  /** How many salts have been numbered. */
  salts: number;
}

/** Ages beyond this make no difference to any rule when nothing is under way. */
const oldestAge = -60;

/** The world some seconds later: whoever has been under way too long is gone, and so is what they wrote. */
export function later(world: World, seconds: number, underWaySeconds: number): World {
  const isUnderWay = ({ sentAt }: { sentAt: number }) => seconds - sentAt <= underWaySeconds;
  const shiftPair = ({ token, rotatedAt }: Pair): Pair => {
    return { token, rotatedAt: rotatedAt === null ? null : Math.max(rotatedAt - seconds, oldestAge) };
  };
  const requests = world.requests.filter(isUnderWay).map((request) => {
    const { sentAt, clock, issued } = request;
    return {
      ...request,
      sentAt: sentAt - seconds,
      clock: clock === null ? null : clock - seconds,
      issued: issued && shiftPair(issued),
    };
  });
  const copies = world.copies.filter(isUnderWay).map((copy) => {
    return { ...copy, sentAt: copy.sentAt - seconds, clock: copy.clock - seconds };
  });
  const item = world.item && shiftItem(world.item, -seconds);
  const isQuiet = requests.length === 0 && copies.length === 0;
  if (item && isQuiet && item.rotatedAt !== null) item.rotatedAt = Math.max(item.rotatedAt, oldestAge);
  return { ...world, item, jar: shiftPair(world.jar), requests, copies };
}

/**
 * Renames everything that has a name by how it stands to the rest, so that worlds that differ in names only are one:
 * generations count from the current token, salts are numbered as they occur, requests are sorted.
 */
export function canonical(world: World): World {
  const base = generationOf((world.item ?? world.jar).token);
  const numbers = new Map<number, number>();
  const saltOf = (salt: number): number => {
    const number = numbers.get(salt) ?? numbers.size;
    numbers.set(salt, number);
    return number;
  };
  const tokenOf = (token: Token): Token =>
    `${generationOf(token) - base}#${saltOf(Number(token.slice(token.indexOf("#") + 1)))}`;
  const itemOf = (item: Item): Item => {
    return {
      ...item,
      token: tokenOf(item.token),
      previous: item.previous && tokenOf(item.previous),
      salt: item.salt === null ? null : saltOf(item.salt),
    };
  };
  const callOf = (call: Call): Call => {
    if (call.is === "rotate") {
      const { presented, successor, salt } = call;
      return { ...call, presented: tokenOf(presented), successor: tokenOf(successor), salt: saltOf(salt) };
    }
    if (call.is === "rearm") return { ...call, token: tokenOf(call.token), previous: tokenOf(call.previous) };
    return call;
  };
  const answerOf = (answer: Answer): Answer =>
    "item" in answer && answer.item ? { ...answer, item: itemOf(answer.item) } : answer;
  const pairOf = (pair: Pair): Pair => ({ ...pair, token: tokenOf(pair.token) });

  return {
    ...world,
    item: world.item && itemOf(world.item),
    jar: pairOf(world.jar),
    stolen: world.stolen.map(tokenOf),
    requests: sortedByContent(world.requests).map((request) => {
      return {
        ...request,
        presented: tokenOf(request.presented),
        salt: saltOf(request.salt),
        answers: request.answers.map(answerOf),
        call: request.call && callOf(request.call),
        issued: request.issued && pairOf(request.issued),
      };
    }),
    copies: world.copies.map((copy) => ({ ...copy, call: callOf(copy.call) })),
    salts: numbers.size,
  };
}

/** A text that tells worlds apart. What a request does next follows from its answers and need not stand in it. */
export function worldText({ item, jar, stolen, isAheadOfTheft, ...world }: World): string {
  const { browser, thief } = isAheadOfTheft;
  const requests = world.requests.map((request) => {
    const { presented, salt, answers, issued } = request;
    return `${contentOf(request)} ${presented} ${salt} ${answers.map(answerText)} ${issued?.token}`;
  });
  const copies = world.copies.map(({ call, clock, sentAt }) => `${callText(call)} ${clock} ${sentAt}`);
  const who = `${jar.token} ${jar.rotatedAt} ${stolen} ${browser} ${thief} ${world.isLogoutAnswered}`;
  return `${itemText(item)};${who};${requests.join(";")};${copies.join(";")}`;
}

/** Sorted without looking at the salts' numbers, which are only names. */
function sortedByContent(requests: Request[]): Request[] {
  if (requests.length < 2) return requests;
  return requests
    .map((request) => ({ request, content: contentOf(request) }))
    .sort((a, b) => (a.content < b.content ? -1 : a.content > b.content ? 1 : 0))
    .map(({ request }) => request);
}

function contentOf(request: Request): string {
  const { kind, who, presented, key, sentAt, isAfterLogout, clock, answers, call, issued } = request;
  const given = issued && `${generationOf(issued.token)} ${issued.rotatedAt}`;
  const about = `${kind} ${who} ${generationOf(presented)} ${key} ${sentAt} ${isAfterLogout}`;
  return `${about} ${clock} ${call?.is} ${given} ${answers.length}`;
}
