import type { Place } from './places.ts';

/** A unit of systemd as it tells itself; times are in milliseconds since the machine started. */
export interface Unit {
  state: string;
  mainPid: number;
  restarts: number;
  /** Whether and how long after its end it is started again, as configured. */
  restart: string;
  restartAfter: string;
  /** When its main process was started. */
  startedAt: number;
  /** When it last stopped being active. */
  endedAt: number;
  /** When it came into the state that it is in. */
  changedAt: number;
}

export async function unitOf(place: Place, name: string): Promise<Unit> {
  const { stdout, stderr, code } = await place.attempt(['systemctl', 'show', name]);
  if (code !== 0) throw new Error(`systemctl show ${name} on ${place.name}: ${stderr.trim()}`);
  const text = (property: string): string => new RegExp(`^${property}=(.*)$`, 'm').exec(stdout)?.[1] ?? '';
  const ms = (property: string): number => Number(text(`${property}Monotonic`)) / 1000;
  return {
    state: `${text('ActiveState')} ${text('SubState')}`,
    mainPid: Number(text('MainPID')),
    restarts: Number(text('NRestarts')),
    restart: text('Restart'),
    restartAfter: text('RestartUSec'),
    startedAt: ms('ExecMainStartTimestamp'),
    endedAt: ms('ActiveExitTimestamp'),
    changedAt: ms('StateChangeTimestamp'),
  };
}
