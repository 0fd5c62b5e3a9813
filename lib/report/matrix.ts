import { boundOf, type Bound, type Bounded } from './bounds.ts';
import type { Conformance } from './conformance.ts';
import { diff, runLabel, waitedMs, type RunDiff, type RunLabel } from './diff.ts';
import type { Result } from './results.ts';
import { replacedIn } from './summary.ts';

/** What came of the run of one version. */
export interface VersionRun {
  /** What it is called, such as 1.27.9, or 1.27.9-debian-13 when its VM has another release than the default. */
  version: string;
  /** The version of Istio that was asked for. */
  istio: string;
  /** What its VM was to run, as VM_OS has it. */
  vmOs: string;
  /** The exit status of its run; 2 when it could not start. */
  status: number;
  /** How long it took, in milliseconds. */
  ms: number;
  /** Its report; undefined when it left none. */
  report?: Conformance;
  /** What it said last, when it left none. */
  said?: string;
  /** The folder of its outputs, relative to that of the matrix. */
  folder: string;
}

/** One claim in one version. */
export interface Cell {
  verdict: Result['verdict'];
  durationMs: number;
  /** How much of that it waited for what to come true. */
  waitedMs: number;
  /** Why, unless it passed. */
  reason?: string;
}

/** A row: one claim over the versions. */
export interface MatrixClaim {
  id: string;
  suite: Result['suite'];
  class: Result['class'];
  statement: string;
  /** By version; a version whose run left no report is not there. */
  cells: Record<string, Cell>;
  /** Whether its verdicts are not all the same. */
  differs: boolean;
  /** Only for a claim that its source binds to versions: whether these bear it out. */
  bound?: Bound;
}

/** A column: one version, of Istio and of the VM's system. */
export interface MatrixVersion {
  version: string;
  istio: string;
  vmOs: string;
  status: number;
  ms: number;
  folder: string;
  /** The run as it is told of; null when it left no report. */
  run: RunLabel | null;
  /** Versions as measured on its system. */
  measured: Record<string, string>;
  errors: string[];
  said: string | null;
  replaced: string[];
}

/** Claims by versions; matrix.schema.json beside this file is its contract. */
export interface Matrix {
  schemaVersion: 1;
  startedAt: string;
  finishedAt: string;
  /** The worst of the exit statuses. */
  status: number;
  /** What the runs were asked for, when that was less than everything. */
  asked: string[];
  /** In the order in which they were asked for. */
  versions: MatrixVersion[];
  /** In order of id; all of the catalogue. */
  claims: MatrixClaim[];
  /** For each pair of versions that differ in Istio or in the VM's system, not in both; the earlier asked for first. */
  diffs: RunDiff[];
}

interface Made {
  startedAt: Date;
  finishedAt: Date;
  asked: readonly string[];
}

/** One report over the runs of all versions. @param catalogued what the sources bind to versions */
export function matrix(
  runs: readonly VersionRun[],
  catalogued: readonly Bounded[],
  { startedAt, finishedAt, asked }: Made,
): Matrix {
  const reported = runs.flatMap(({ version, istio, vmOs, report }) =>
    report ? [{ name: version, istio, vmOs, report }] : [],
  );
  const byVersion = reported.map(({ name, istio, report }) => ({
    version: name,
    istio,
    results: new Map(report.claims.map((claim) => [claim.id, claim])),
  }));
  const ids = [...new Set(byVersion.flatMap(({ results }) => [...results.keys()]))].sort();
  const bounds = new Map(catalogued.map((claim) => [claim.id, claim]));
  const pairs = reported.flatMap((from, place) =>
    reported
      .slice(place + 1)
      .filter(({ istio, vmOs }) => istio === from.istio || vmOs === from.vmOs)
      .map((to) => diff(from, to)),
  );
  return {
    schemaVersion: 1,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt.toISOString(),
    status: worst(runs),
    asked: [...asked],
    versions: runs.map(column),
    claims: ids.flatMap((id) => row(id, byVersion, bounds.get(id))),
    diffs: pairs,
  };
}

/** The worst exit status; a run that left no report is not well, whatever it ended with. */
const worst = (runs: readonly VersionRun[]): number =>
  Math.max(...runs.map(({ status, report }) => (report ? status : Math.max(status, 1))));

function column({ version, istio, vmOs, status, ms, folder, report, said }: VersionRun): MatrixVersion {
  return {
    ...{ version, istio, vmOs, status, ms, folder },
    run: report ? runLabel(version, report) : null,
    measured: report?.measured ?? {},
    errors: report?.errors ?? [],
    said: said ?? null,
    replaced: report ? [...replacedIn(report)] : [],
  };
}

type ByVersion = readonly { version: string; istio: string; results: ReadonlyMap<string, Result> }[];

function row(id: string, byVersion: ByVersion, catalogued: Bounded | undefined): MatrixClaim[] {
  const found = byVersion.flatMap(({ version, istio, results }) => {
    const result = results.get(id);
    return result ? [{ version, istio, result }] : [];
  });
  const last = found.at(-1)?.result;
  if (!last) return [];
  const verdicts = found.map(({ version, istio, result: { verdict } }) => ({ version, istio, verdict }));
  const bound = catalogued && boundOf(catalogued, verdicts);
  return [
    {
      ...{ id, suite: last.suite, class: last.class, statement: last.statement },
      cells: Object.fromEntries(found.map(({ version, result }) => [version, cell(result)])),
      differs: new Set(verdicts.map(({ verdict }) => verdict)).size > 1,
      ...(bound ? { bound } : {}),
    },
  ];
}

function cell(result: Result): Cell {
  const { verdict, durationMs, reason } = result;
  return {
    verdict,
    durationMs,
    waitedMs: waitedMs(result),
    ...(reason === undefined || verdict === 'passed' ? {} : { reason }),
  };
}
