import { endedFile } from '#lib/base/ended.ts';

/** A program that a supervisor runs, and starts again when it ends. */
export interface Service {
  name: string;
  words: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** The folder that its output goes to, as <name>.log, and that a line for each end goes to. */
  logs: string;
}

/** What a program is: it runs, it ended and is not back, or somebody stopped it. */
export type ProgramState = 'running' | 'ended' | 'stopped';

/**
 * The folder that s6-svscan watches, in the mount namespace that it serves. s6 is Debian's package of that name. Unlike
 * runit's it makes no users and hooks into nothing of the host, and a new service is started at once, not at the next
 * look after up to 5 s.
 */
export const services = '/run/service';

/**
 * Words that start a service, or start it anew with what is given now. They return once its supervisor runs; s6-svscan
 * need not listen yet.
 */
export const startWords = (service: Service): string[] => [
  ...['sh', '-c', starting, service.name],
  ...[service.name, service.logs, runScript(service), finishScript(service)],
];

/** Words that stop a service with a signal, for good, and wait until it is gone; it need not run, nor be known. */
export const stopWords = (name: string, signal: 'TERM' | 'KILL'): string[] => [
  ...['sh', '-c', stopping, name, name],
  // O: it is not started again when it has ended; k: KILL. d is both with TERM
  signal === 'KILL' ? '-Ok' : '-d',
];

/** Words that print a line for each service: its name, its state, and its process id when it runs. */
export const stateWords = (): string[] => ['sh', '-c', states];

/** What `stateWords` printed, by name. */
export function statesIn(printed: string): Map<string, { state: ProgramState; pid?: number }> {
  const lines = printed.split('\n').filter(Boolean);
  return new Map(
    lines.map((line) => {
      const [name = '', state, pid] = line.split(' ');
      return [name, { state: state as ProgramState, ...(Number(pid) > 0 && { pid: Number(pid) }) }] as const;
    }),
  );
}

const starting = `set -e
dir=${services}/$1; mkdir -p "$2"
if s6-svok "$dir" 2>/dev/null; then touch "$dir/stopped"; s6-svc -wD -d "$dir"; else mkdir -p "$dir"; fi
printf %s "$3" >"$dir/run"; printf %s "$4" >"$dir/finish"; echo 60000 >"$dir/timeout-finish"
chmod 755 "$dir/run" "$dir/finish"; rm -f "$dir/stopped"
if s6-svok "$dir" 2>/dev/null; then s6-svc -u "$dir"; exit; fi
until s6-svscanctl -a ${services} 2>/dev/null; do sleep 0.02; done
until s6-svok "$dir" 2>/dev/null; do sleep 0.02; done`;

const stopping = `dir=${services}/$1
s6-svok "$dir" 2>/dev/null || exit 0
touch "$dir/stopped"; s6-svc -wD "$2" "$dir"`;

const states = `cd ${services} 2>/dev/null || exit 0
for dir in */; do name=\${dir%/}
[ "$name" != '*' ] || continue
if [ -e "$name/stopped" ]; then echo "$name stopped"
elif s6-svstat -o up,pid "$name" 2>/dev/null | { read -r up pid && [ "$up" = true ] && echo "$name running $pid"; }; then :
else echo "$name ended"; fi; done`;

/** What runs it: its output is added to its log, and it is noted what of that this life says. */
export function runScript({ name, words, env = {}, logs }: Service): string {
  const set = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  return [
    '#!/bin/sh',
    `exec >>${quoted(`${logs}/${name}.log`)} 2>&1 </dev/null`,
    `wc -c <${quoted(`${logs}/${name}.log`)} >size; date +%s%3N >started`,
    `cd /; exec ${['env', ...set, ...words].map(quoted).join(' ')}`,
    '',
  ].join('\n');
}

/**
 * What s6-supervise runs when it has ended, with its exit code (256 for a signal) and the signal: it writes down the
 * end of what nobody stopped. The last line that was said is taken from before the trace that Go prints.
 */
export function finishScript({ name, logs }: Pick<Service, 'name' | 'logs'>): string {
  const log = quoted(`${logs}/${name}.log`);
  const trace = String.raw`^(\s|goroutine |created by |exit status |$)|^[^ ]+\(.*\)$`;
  return [
    '#!/bin/sh',
    '[ ! -e stopped ] || exit 0',
    `said=$(tail -c "+$(($(cat size) + 1))" ${log} | tail -n 500 | tr -d '\\000' | grep -avE ${quoted(trace)} | tail -n 1 | cut -c 1-500)`,
    String.raw`printf '%s\t%s\t%s\t%s\t%s\t%s\n' ${quoted(name)} "$(cat started)" "$(date +%s%3N)" "$1" "$2" "$said" >>${quoted(`${logs}/${endedFile}`)}`,
    '',
  ].join('\n');
}

const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;
