import { heartbeat } from './heartbeat.ts';
import { processTable } from './process-table.ts';
import { endProcess, isAlive, type ProcessId } from './processes.ts';
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
export function npmAbove(pid: number, look: Look = lookHere): ProcessId[] {
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

const lookHere: Look = (pid) => {
  const told = processTable().of(pid);
  return (
    told && {
      id: { pid, started: told.started },
      parent: told.parent,
      command: told.command.slice(0, 60),
    }
  );
};
