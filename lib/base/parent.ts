import { readFileSync } from 'node:fs';
import { heartbeat } from './heartbeat.ts';
import { endProcess, isAlive, processOf, type ProcessId } from './processes.ts';
import { seconds } from './until.ts';

/**
 * npx runs us through a shell, and neither hands a signal on: who ends npx would leave us running. So we end ourselves,
 * as if told to, when the npx or npm that started us is gone. Started without them, nothing is watched.
 */
export function endWithNpm(
  end = (): void => {
    endProcess(process.pid, 'SIGTERM');
  },
): () => void {
  const watched = npmAbove(process.pid);
  if (watched.length === 0) return () => undefined;
  return heartbeat(seconds(1), () => {
    if (!watched.every(isAlive)) end();
  });
}

/** The processes above this one up to the npm or npx that started it; none when there is no such. */
export function npmAbove(pid: number, look: Look = lookInProc): ProcessId[] {
  const chain: ProcessId[] = [];
  for (let at = look(pid)?.parent; at !== undefined && at > 1 && chain.length < 4;) {
    const seen = look(at);
    if (!seen) return [];
    chain.push(seen.id);
    if (/\b(npm|npx)\b/.test(seen.command)) return chain;
    at = seen.parent;
  }
  return [];
}

type Look = (pid: number) => { id: ProcessId; parent: number; command: string } | undefined;

const lookInProc: Look = (pid) => {
  const id = processOf(pid);
  if (!id) return undefined;
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  return {
    id,
    parent,
    command: readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8')
      .replaceAll('\0', ' ')
      .slice(0, 60),
  };
};
