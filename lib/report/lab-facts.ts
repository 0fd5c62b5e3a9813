import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { endedIn, type EndedProgram } from '#lib/base/ended.ts';
import { messageOf } from '#lib/base/errors.ts';
import { readJson } from '#lib/base/files.ts';
import { labDir } from '#lib/base/paths.ts';
import { keptPatience } from '#lib/base/patience.ts';
import { settings } from '#lib/base/settings.ts';
import type { Wait } from '#lib/base/until.ts';

/** One layer that was brought up, or was not. On a kept lab that was in an earlier run. */
export interface Span {
  name: string;
  ms: number;
  startedAt: string;
  /** Why it did not come up. */
  failed?: string;
  /** What that waited for, those of a tenth of a second or more; without it nobody noted. */
  waits?: Wait[];
}

export interface LabFacts {
  lab: { name: string; provider: string; distribution: string; artifactSource: string; features: string[] };
  measured: Record<string, string>;
  config: Record<string, unknown>;
  timeline: Span[];
  /** The programs that ended in the lab although nobody stopped them, since it was made. */
  ended: EndedProgram[];
}

/** measured.json in the folder of the lab, as the layers write it: versions by name, and what the lab is. */
interface Measured {
  provider?: string;
  distribution?: string;
  artifactSource?: string;
  features?: string[];
  [version: string]: unknown;
}

interface LayerOutcome {
  layer: string;
  state: 'up' | 'failed';
  startedAt: string;
  ms: number;
  reason?: string;
  waits?: Wait[];
}

/** What the lab says about itself. Nothing here may keep a report from being written, so what cannot be read is said in it. */
export function labFacts(): LabFacts {
  try {
    const { lab, ...rest } = settings();
    const { cache, ...shown } = lab;
    const folder = labDir(lab.name);
    const { provider, distribution, artifactSource, features, ...versions } =
      readJson<Measured>(join(folder, 'measured.json')) ?? {};
    return {
      lab: {
        name: lab.name,
        provider: provider ?? lab.provider,
        distribution: distribution ?? lab.distribution,
        artifactSource: artifactSource ?? lab.artifactSource,
        features: [...(features ?? [])].sort(),
      },
      measured: {
        ...Object.fromEntries(Object.entries(versions).map(([name, version]) => [name, text(version)])),
        ...patienceIn(folder),
      },
      config: { ...rest, lab: shown },
      timeline: timeline(join(folder, 'layers')),
      ended: endedIn(folder),
    };
  } catch (error) {
    const lab = { name: '', provider: '', distribution: '', artifactSource: '', features: [] };
    return { lab, measured: {}, config: { unreadable: messageOf(error) }, timeline: [], ended: [] };
  }
}

/** The patience that was in force, once the lab was opened. */
function patienceIn(folder: string): Record<string, string> {
  const kept = keptPatience(folder);
  return kept ? { patience: `${String(kept.factor)} (${kept.why})` } : {};
}

/** What the layers left about their bringing up, in the order in which it began. */
function timeline(folder: string): Span[] {
  if (!existsSync(folder)) return [];
  // beside the outcomes are locks, while layers come up
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  const outcomes = files.map((file) => readJson<LayerOutcome | null>(join(folder, file)));
  const spans = outcomes.flatMap((one): Span[] => (one ? [span(one)] : []));
  return spans.sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
}

const span = ({ layer, state, startedAt, ms, reason, waits }: LayerOutcome): Span => ({
  ...{ name: layer, ms, startedAt },
  ...(state === 'failed' ? { failed: reason ?? 'It did not say why.' } : {}),
  ...(waits === undefined ? {} : { waits }),
});

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
