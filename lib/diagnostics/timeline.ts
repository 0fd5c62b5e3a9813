/** Text with a time at the beginning of its lines, such as a log. */
export interface Stream {
  /** Who says it, such as `vm agent` or `sample/curl istio-proxy`. */
  from: string;
  text: string;
}

/** One thing that happened. */
export interface Happening {
  /** Milliseconds since 1970. */
  at: number;
  from: string;
  text: string;
}

export interface Window {
  from: number;
  to: number;
}

type Form = readonly [RegExp, (...parts: string[]) => number];

const iso = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)`;

/** How programs write the time of a line, first form that fits; what is matched is left out of the line. */
const forms: readonly Form[] = [
  // containerd's log of a container, whose own line may begin with the time that the line tells
  [new RegExp(String.raw`^${iso} (?:stdout|stderr) [FP] (?=\[?${iso})`), () => Number.NaN],
  [new RegExp(String.raw`^(${iso}) (?:stdout|stderr) [FP] `), (time) => Date.parse(time)],
  // Envoy's access log keeps its bracket: the line is read as a whole
  [new RegExp(String.raw`^(?=\[(${iso})\])`), (time) => Date.parse(time)],
  [new RegExp(String.raw`^(${iso})[\s:]+`), (time) => Date.parse(time)],
  [new RegExp(String.raw`^(?=time="(${iso})")`), (time) => Date.parse(time)],
  // etcd
  [new RegExp(String.raw`^(?=\{"level":"\w+","ts":"(${iso})")`), (time) => Date.parse(time)],
  // Envoy by itself, before it logs as the agent does
  [
    /^(?=\[(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d+)\])/,
    (...dayAndTime) => Date.parse(`${dayAndTime.join('T')}Z`),
  ],
  // journalctl --output=short-unix
  [/^(\d{9,11}\.\d+) /, (time) => Number(time) * 1000],
];

/** klog has neither year nor time zone: it is the year of the window, and the zone that we share with the nodes. */
const klog = /^(?=[IWEF](\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d+))/;

/**
 * The lines of all streams in order of time, as far as they are of the window. A line without a time belongs to the
 * one before it.
 */
export function merged(streams: readonly Stream[], window: Window): Happening[] {
  return streams
    .flatMap(({ from, text }) => happenings(from, text, window))
    .filter(({ at }) => at >= window.from && at <= window.to)
    .sort((a, b) => a.at - b.at);
}

function happenings(from: string, text: string, window: Window): Happening[] {
  const found: Happening[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const read = timed(line, window);
    const last = found.at(-1);
    if (read) found.push({ ...read, from });
    else if (last) last.text += `\n${line}`;
  }
  return found;
}

/** When a line was written, and the rest of it; undefined when it does not begin with a time. */
export function timed(line: string, { to }: Window): { at: number; text: string } | undefined {
  for (const [form, read] of forms) {
    const match = form.exec(line);
    if (!match) continue;
    const rest = line.slice(match[0].length);
    const at = read(...match.slice(1));
    if (!Number.isNaN(at)) return { at, text: rest };
    const inner = timed(rest, { from: 0, to });
    if (inner) return inner;
  }
  const short = klog.exec(line);
  if (!short) return undefined;
  const [, month, day, hour, minute, second, micros] = short.map(Number);
  const of = (year: number): number =>
    new Date(year, (month ?? 1) - 1, day, hour, minute, second, (micros ?? 0) / 1000).getTime();
  const year = new Date(to).getFullYear();
  // a line of the last evening of a year, read in the next
  const at = of(year) > to + 86_400_000 ? of(year - 1) : of(year);
  return { at, text: line };
}

/** The page: a line for each happening, with who says it. */
export function page(all: readonly Happening[]): string {
  const width = Math.min(44, Math.max(0, ...all.map(({ from }) => from.length)));
  return all
    .map(({ at, from, text }) => {
      const head = `${new Date(at).toISOString()}  ${from.padEnd(width)}  `;
      return `${head}${text.replaceAll('\n', `\n${' '.repeat(head.length)}`)}\n`;
    })
    .join('');
}
