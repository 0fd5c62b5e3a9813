import { beforeAll, expect, inject, test } from 'vitest';
import { msOf, together, toldOf, type Within } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { BlockedError, LackingError, messageOf } from '#lib/base/errors.ts';
import { heartbeat } from '#lib/base/heartbeat.ts';
import { notingWaits, seconds } from '#lib/base/until.ts';
import type { Failure } from '#lib/diagnostics/diagnose.ts';
import type { Change } from '#lib/kube/manifest.ts';
import { catalogue, CatalogueError, type Catalogue, type Suite } from './catalogue.ts';
import { collecting, falsify, falsifying, falsifyingWithin } from './falsify.ts';
import { evidence, judge, notApplicable, type Judgement, type Outcome } from './outcome.ts';
import { undisturbed, type Programs } from './undisturbed.ts';
import { witnesses } from './witnesses.ts';

/** The least that a lab says about itself. */
export interface AnyLab {
  /** What it has, such as `istio-proxy-build`; a claim may require some of it. */
  readonly features: ReadonlySet<string>;
}

/** How claims reach the lab. */
export interface Door<L extends AnyLab, Layer extends string> {
  /** Brings a layer up, with all that it stands on, unless it stands already. */
  provision(layer: Layer): Promise<void>;
  /** The lab as it stands; changes nothing. */
  attach(layer: Layer): Promise<L>;
  /** What the lab tells of its programs; undefined when they are somebody else's. */
  programs?(lab: L): Programs | undefined;
  /** Collects what tells why a claim failed, before anything is put back; returns where that lies. */
  diagnose?(failure: Failure): Promise<string>;
}

/** Keeps what a proof saw for the report, and returns it. */
export type Seen = <T>(what: string, value: T) => T;

/** A change that is made before something and undone after it. */
export type Making<L> = (lab: L) => Change | Promise<Change>;

/** How a claim is proved. What it says, and where that stands, is in the catalogue. */
export interface Declaration<L, Layer extends string = string> {
  /** Features that the lab must have; without them the claim is not applicable. */
  requires?: readonly string[];
  /**
   * What its proof looks at; the lab unless told. A claim about this repository (its settings, its fixtures) holds
   * whatever lab stands, so it is told apart wherever claims are counted.
   */
  looksAt?: 'repository';
  /** The situation that the claim speaks of: made before the proof, undone after it. */
  given?: Making<L>;
  /** The one change after which the proof must fail. `vitest run` leaves it alone; see falsify.ts. */
  falsifier?: Making<L>;
  /** What the proof must say when the falsifier has been made, so that it is red for that and not for anything else. */
  red?: RegExp;
  /** The layer that the falsifier breaks; the one that the claim stands on unless told. */
  breaks?: Layer;
  /** Why no change on this lab can turn it red; instead of a falsifier. */
  unfalsifiable?: string;
  /** Quick, changes nothing and is given nothing: looked at while others are falsified, to learn what goes red with them. */
  witness?: true;
  /** How long `given` and `proof` may take together; `ours.claim` unless told. */
  within?: Within;
  /** Looks at the system and states what must be seen, with at least one `expect`. */
  proof(lab: L, seen: Seen): Promise<void> | void;
}

export type Declare<L, Layer extends string = string> = (
  id: string,
  declaration: Declaration<L, Layer>,
) => void;

type Meanwhile = () => Promise<void>;

/** Looks at a claim once, as a run does. `meanwhile` is done before what the claim was given is undone. */
export type Look<L> = (declaration: Declaration<L>, meanwhile?: Meanwhile) => Promise<Ended>;

/** A way to look at claims: once, or as often and with such changes as it takes. */
export type Way<L> = (declaration: Declaration<L>, look: Look<L>, outcome: Outcome) => Promise<Ended>;

/** The kind of the annotation with which a test tells for how many milliseconds it has been running. */
export const stillRunning = 'still running';

declare module 'vitest' {
  interface ProvidedContext {
    /** How often a claim tells that it is still being looked at, in milliseconds; 10 s unless told. */
    beat?: number;
  }
}

const plainly = async <L>(declaration: Declaration<L>, look: Look<L>): Promise<Ended> => look(declaration);

/** A change that could not be undone; what is looked at after it may not be what it seems. */
let leftBehind: string | undefined;

/**
 * Makes the function with which a suite file says which layer its claims stand on.
 *
 * @param folder of the catalogue; fixtures/claims unless told
 * @param way in which the claims are looked at; plainly unless told, or falsified when the run is asked to
 */
export function declaring<L extends AnyLab, Layer extends string>(
  door: Door<L, Layer>,
  folder?: string,
  way: Way<L> = falsifying() ? falsify : plainly,
) {
  const known = new Map<Suite, Catalogue>();

  /**
   * @param suite the suite that the file belongs to
   * @param on.layer the layer that is brought up before the first selected claim of the file
   * @returns the function that declares one claim; it throws CatalogueError for an id that the catalogue does not
   *   have, that belongs to another suite, or that was declared before
   */
  return function claims(suite: Suite, on: { layer: Layer }): Declare<L, Layer> {
    const own = known.get(suite) ?? catalogue(folder, suite);
    known.set(suite, own);
    const declared = new Set<string>();
    const ground = standingOn(door, on.layer);

    return function claim(id, declaration) {
      if (!own.has(id)) {
        const { suite: home } = catalogue(folder).get(id);
        throw new CatalogueError(`${id} belongs to ${home}, but is declared in ${suite}.`);
      }
      if (declared.has(id)) throw new CatalogueError(`${id} is declared twice.`);
      declared.add(id);
      if (declaration.witness) {
        if (declaration.given)
          throw new CatalogueError(`${id} is given something, so it cannot be a witness.`);
        witnesses.add(id, async () => {
          const outcome: Outcome = {
            id,
            standsOn: on.layer,
            within: msOf(ours.witness),
            evidence: [],
            waits: [],
          };
          try {
            const lab = await door.attach(on.layer);
            return (await verdictOn(declaration, ours.witness, () => lab, outcome)).judgement;
          } catch (error) {
            return judge(error);
          }
        });
      }

      const within = declaration.within ?? ours.claim;
      const looksAt = declaration.looksAt;
      const outcome: Outcome = {
        ...{ id, standsOn: on.layer, within: msOf(within), evidence: [], waits: [] },
        ...(looksAt ? { looksAt } : {}),
      };
      const whole = together(within, ours.diagnose, ours.undo);
      // a look that is disturbed is followed by another, once the lab has healed
      const twice = together(whole, ours.healed, whole);
      const plan = {
        // each part has its deadline by the patience in force then; this one is for what hangs nevertheless
        timeout: (falsifying() ? falsifyingWithin(twice) : together(twice, ours.claimMargin)).mostMs,
        retry: 0,
        repeats: 0,
        meta: { claim: outcome },
      };
      test(id, plan, async ({ task, skip, annotate }) => {
        const result: Outcome = { ...outcome, within: msOf(within), evidence: [], waits: [] };
        task.meta.claim = result;
        // told from here: when a test has begun and ended the reporter learns late on a busy machine
        const started = performance.now();
        const beat = heartbeat(inject('beat') ?? seconds(10), () => {
          annotate(String(Math.round(performance.now() - started)), stillRunning).catch(() => undefined);
        });
        // a claim that was broken on purpose is red as it should be, which needs no explaining unless it is asked for
        const lookOnce: Look<L> = async (one, meanwhile) =>
          notingWaits(result.waits, async () =>
            verdictOn(one, within, ground, result, {
              diagnose: one === declaration || collecting() ? door.diagnose : undefined,
              meanwhile,
            }),
          );
        const look: Look<L> = async (one, meanwhile) => {
          const programs = looksAt ? undefined : programsOf(door, ground);
          const once = async (): Promise<Ended> => lookOnce(one, meanwhile);
          return programs ? undisturbed(once, programs, result) : once();
        };
        const { judgement, error } = await way(declaration, look, result).finally(beat);
        result.judgement = judgement;
        if (judgement.verdict === 'not-applicable') skip(judgement.reason);
        if (judgement.verdict !== 'passed') throw error;
      });
    };
  };
}

/** What tells of the lab's programs; undefined when there is no lab, which the claim then says by itself. */
function programsOf<L extends AnyLab, Layer extends string>(
  door: Door<L, Layer>,
  ground: () => L,
): Programs | undefined {
  try {
    return door.programs?.(ground());
  } catch {
    return undefined;
  }
}

/** Brings the layer up before the first selected test of the file; a failure is kept for the claims to tell. */
function standingOn<L extends AnyLab, Layer extends string>(door: Door<L, Layer>, layer: Layer): () => L {
  let lab: L | undefined;
  let blocked: BlockedError | LackingError | undefined;
  beforeAll(async () => {
    try {
      await inTime(ours.layersUp, `layer ${layer} was not up`, async () => door.provision(layer));
      lab = await door.attach(layer);
    } catch (error) {
      const told = error instanceof BlockedError || error instanceof LackingError;
      blocked = told ? error : new BlockedError(layer, messageOf(error));
    }
  }, ours.layersUp.mostMs);
  return () => {
    // what is falsified must be green before anything is broken, and then nothing left behind is in its way
    if (leftBehind !== undefined && !falsifying()) throw new BlockedError(layer, leftBehind);
    if (lab) return lab;
    throw blocked ?? new Error(`Layer ${layer} was not brought up before its claims.`);
  };
}

/** How looking at a claim ended. */
export interface Ended {
  judgement: Judgement;
  error?: unknown;
  /** What could not be undone, and why not. */
  leftBehind?: string;
}

/** @param meanwhile what is done when the proof has ended and what it was given has not been undone yet */
async function verdictOn<L extends AnyLab>(
  { requires = [], given, proof }: Declaration<L>,
  within: Within,
  ground: () => L,
  outcome: Outcome,
  { diagnose, meanwhile }: { diagnose?: Door<L, string>['diagnose']; meanwhile?: Meanwhile | undefined } = {},
): Promise<Ended> {
  const { id, evidence: kept } = outcome;
  const from = Date.now();
  const seen: Seen = (what, value) => {
    kept.push(evidence(what, value));
    return value;
  };
  let making: Promise<Change> | undefined;
  const situation = { made: false };
  let ended: Ended;
  try {
    const lab = ground();
    for (const feature of requires) {
      if (!lab.features.has(feature)) notApplicable(feature, 'this lab does not have it.');
    }
    ended = await inTime(within, `${id} came to no end`, async () => {
      if (given) {
        making = (async () => given(lab))();
        await making.catch((error: unknown) => {
          throw ['blocked', 'not-applicable'].includes(judge(error).verdict)
            ? error
            : new Error(`The situation that ${id} speaks of could not be made: ${messageOf(error)}`, {
                cause: error,
              });
        });
        situation.made = true;
      }
      const before = expect.getState().assertionCalls;
      await proof(lab, seen);
      if (expect.getState().assertionCalls === before) {
        throw new Error(`The proof of ${id} expected nothing, so it proves nothing.`);
      }
      return { judgement: { verdict: 'passed' } };
    });
  } catch (error) {
    ended = { judgement: judge(error), error };
  }
  const { verdict, reason = '' } = ended.judgement;
  if (diagnose && (verdict === 'failed' || verdict === 'broken')) {
    const failure = { id, from, to: Date.now(), verdict, reason };
    await inTime(ours.diagnose, 'collecting came to no end', async () => diagnose(failure)).then(
      (folder) => (outcome.diagnostics = folder),
      (error: unknown) => kept.push(evidence('why there are no diagnostics', messageOf(error))),
    );
  }
  try {
    if (situation.made) await meanwhile?.();
  } finally {
    if (making) ended = await putBack(id, making, ended);
  }
  return ended;
}

/** Undoes what was given. What cannot be undone spoils a pass, and blocks what comes after. */
async function putBack(id: string, making: Promise<Change>, ended: Ended): Promise<Ended> {
  let name = 'what it was given';
  try {
    await inTime(ours.undo, 'putting it back came to no end', async () => {
      const made = await making.catch(() => undefined);
      name = made?.name ?? name;
      await made?.undo();
    });
    return ended;
  } catch (error) {
    leftBehind = `${id} left ${name} behind: ${messageOf(error)}`;
    if (ended.judgement.verdict !== 'passed') {
      const reason = `${ended.judgement.reason ?? ''} And it ${leftBehind.slice(id.length + 1)}`;
      return { ...ended, judgement: { ...ended.judgement, reason }, leftBehind };
    }
    return {
      judgement: { verdict: 'broken', reason: leftBehind },
      leftBehind,
      error: new Error(leftBehind, { cause: error }),
    };
  }
}

/** The result of the work, or an error at the deadline; the work itself cannot be stopped. */
async function inTime<T>(within: Within, otherwise: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const tooLate = new Promise<never>((_, reject) => {
    const after = (ms: number): void => {
      AbortSignal.timeout(Math.ceil(ms)).addEventListener('abort', () => {
        // the patience may have been raised meanwhile
        const left = msOf(within) - (performance.now() - started);
        if (left > 0) after(left);
        else reject(new Error(`${otherwise} within ${toldOf(within)}.`));
      });
    };
    after(msOf(within));
  });
  const working = work();
  working.catch(() => undefined);
  return Promise.race([working, tooLate]);
}
