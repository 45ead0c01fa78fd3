import type { DynamoDB } from "../../../lib/dynamodb.ts";
import { type Answer, type Command, textOf, toError } from "../memory-table.ts";
import { drawAs } from "./stand-ins.ts";

/** What the program of a request is given: its way to the tables, and its clock. */
export interface Tools {
  client: DynamoDB;
  /** Epoch seconds, as read when the request began. */
  now: number;
}

/** How a request ends: `done`, or refused by the code of a problem; and the key of the session that it opened. */
export interface Outcome {
  is: string;
  session?: { userId: string; sessionId: string };
}

/** A flow with its arguments. */
export interface Program {
  flow: string;
  run: (tools: Tools) => Promise<Outcome>;
}

/** A request after some answers: the commands that are under way, or its end. Its id tells it from all others. */
export interface Trail {
  id: number;
  pending: { index: number; command: Command }[];
  outcome?: Outcome;
}

interface Step {
  index: number;
  answer: Answer;
}

interface Known extends Trail {
  name: string;
  now: number;
  program: Program;
  steps: Step[];
  next: Map<string, Known | Promise<Known>>;
}

/**
 * Runs programs step by step: each from its start over the answers that it has had, until it waits for others. The same
 * answers lead to the same place, so each is gone through once. `alter` may change what a program sends, or keep it back: a
 * planted mistake.
 */
export function createRunner(
  alter: (flow: string, command: Command) => Command | undefined = (_, command) => command,
) {
  const starts = new Map<string, Known | Promise<Known>>();
  let trails = 0;

  function follow(known: Map<string, Known | Promise<Known>>, text: string, run: () => Promise<Known>) {
    const found = known.get(text);
    if (found) return found;
    const running = run().then((trail) => {
      known.set(text, trail);
      return trail;
    });
    known.set(text, running);
    return running;
  }

  async function run(name: string, program: Program, now: number, steps: Step[]): Promise<Known> {
    const sent: (PromiseWithResolvers<unknown> & { command: Command; isAnswered: boolean })[] = [];
    const send = (request: { input: unknown; constructor: { name: string } }) => {
      const command = alter(program.flow, { name: request.constructor.name, input: request.input });
      if (!command) return Promise.resolve({});
      const call = { ...Promise.withResolvers(), command, isAnswered: false };
      sent.push(call);
      return call.promise;
    };
    let outcome: Outcome | undefined;
    let fault: unknown;
    drawAs(name);
    program.run({ client: { send } as unknown as DynamoDB, now }).then(
      (end) => {
        outcome = end;
      },
      (error: unknown) => {
        fault = error;
      },
    );
    await idle();
    for (const { index, answer } of steps) {
      const call = sent[index];
      if (!call) throw new Error(`${name} goes another way when it is repeated`);
      call.isAnswered = true;
      if ("error" in answer) call.reject(toError(answer.error));
      else call.resolve(answer.output);
      await idle();
    }
    if (fault) throw fault;
    const pending = sent.flatMap(({ command, isAnswered }, index) =>
      isAnswered ? [] : [{ index, command }],
    );
    if (pending.length === 0 && !outcome) throw new Error(`${name} waits for nothing`);
    return {
      ...{ id: ++trails, name, now, program, steps, next: new Map(), pending },
      ...(pending.length === 0 && outcome && { outcome }),
    };
  }

  return {
    /** `given`: what the program was made of, as far as it differs between runs of that name. */
    start(name: string, given: string, program: Program, now: number): Trail | Promise<Trail> {
      return follow(starts, `${name} ${given} ${now}`, () => run(name, program, now, []));
    },

    answer(trail: Trail, index: number, answer: Answer): Trail | Promise<Trail> {
      const { next, name, program, now, steps } = trail as Known;
      const text = `${index} ${textOf(answer)}`;
      return follow(next, text, () => run(name, program, now, [...steps, { index, answer }]));
    },
  };
}

export type Runner = ReturnType<typeof createRunner>;

/** Whatever a program does between two commands it does in microtasks. */
const idle = () => new Promise((resolve) => setImmediate(resolve));
