import type { Within } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import { says } from '#lib/probes/agent-log.ts';
import type { Lab } from './lab.ts';
import { orUndone, together } from './passing.ts';
import { killSidecar, runningSidecar } from './sidecar.ts';

/** Whose script is started: the package's, or that of the article's repository, which leaves the logs on the terminal. */
export type Script = 'package' | 'repository';

/** A shell on the VM in which `cd / && sudo istio-start.sh` was entered. */
export interface Session {
  /** Whether /etc/certs held a certificate and its key then. */
  pair: 'there' | 'missing';
  /** What stands on its terminal. */
  terminal(): Promise<string[]>;
  /** Waits until a line on the terminal has these words; returns all lines. */
  untilSays(words: string | RegExp, within?: Within): Promise<string[]>;
  /** CTRL+C, which sudo does not heed before it has its answer. */
  interrupt(): Promise<void>;
  /** Waits until it has ended. */
  ended(): Promise<void>;
}

/** The sidecar's unit stopped, so that it can be started by hand; the undo ends what was started and starts the unit. */
export interface ByHand extends Change {
  /**
   * Ends what was started before, with its rules, unless it is `beside` that. The certificate of an earlier start is
   * removed, unless it is to be kept.
   */
  start(script: Script, options?: { keepPair?: boolean; beside?: boolean }): Promise<Session>;
  /** The last one started. */
  session(): Session | undefined;
}

const folder = '/opt/by-hand';
const packaged = '/usr/local/bin/istio-start.sh';
const programs: Readonly<Record<Script, string>> = {
  package: packaged,
  repository: `${folder}/istio-start.sh`,
};

/** The one change that the repository made to the script: the redirection behind the agent's words is a comment. */
const unredirected = String.raw`s|^(.*pilot-agent proxy .*) (2>> .*istio\.log)"$|\1" # \2|`;

/**
 * Stops the sidecar's unit for starts by hand.
 *
 * The repository's script is that of 1.19.3, whose `istio-clean-iptables` is gone since 1.24; its change is made to
 * the script of the version that runs.
 */
export async function byHand(lab: Lab): Promise<ByHand> {
  const { vm } = lab;
  let number = 0;
  let latest: Session | undefined;
  const unit = (): string => `by-hand-${String(number)}`;
  const end = async (): Promise<void> => {
    await vm.attempt(['systemctl', 'kill', '--signal=KILL', 'by-hand-*']);
    // what the unit does after the sidecar; with the rules still there, names are asked of nobody
    await vm.run(['sh', '-c', 'cd / && istio-start.sh clean']);
  };
  const stopped = await together(
    async () => runningSidecar(lab),
    async () => {
      await killSidecar(lab);
      return change('sessions', async () => {
        await end();
        await vm.run(['rm', '-rf', folder]);
      });
    },
  );
  const scripts = `mkdir -p ${folder} && sed -E '${unredirected}' ${packaged} >${programs.repository} && chmod 755 ${programs.repository} && ! cmp -s ${packaged} ${programs.repository}`;
  return orUndone(stopped, async () => {
    await vm.run(['sh', '-c', scripts]);
    return {
      ...stopped,
      name: 'the sidecar started by hand',
      session: () => latest,
      async start(script, { keepPair = false, beside = false } = {}) {
        if (!beside) await end();
        number += 1;
        latest = await enter(lab, { unit: unit(), program: programs[script], keepPair });
        return latest;
      },
    };
  });
}

/** Enters the words on a terminal of the article's user, whose keys are a pipe. */
async function enter(
  { vm }: Lab,
  { unit, program, keepPair }: { unit: string; program: string; keepPair: boolean },
): Promise<Session> {
  const [screen, keys] = [`${folder}/${unit}.terminal`, `${folder}/${unit}.keys`];
  const words = `script --quiet --flush --command "cd / && sudo ${program}" ${screen} <>${keys} >/dev/null`;
  const shell = [
    ...(keepPair ? [] : ['rm -f /etc/certs/cert-chain.pem /etc/certs/key.pem']),
    'test -s /etc/certs/cert-chain.pem && test -s /etc/certs/key.pem && echo there || echo missing',
    `mkfifo ${keys} && touch ${screen} && chown ubuntu ${keys} ${screen}`,
    `systemd-run --quiet --collect --unit=${unit} --uid=ubuntu --setenv=TERM=dumb sh -c '${words}'`,
  ].join('\n');
  const { stdout } = await vm.run(['bash', '-ec', shell]);
  const terminal = async (): Promise<string[]> =>
    (await vm.read(screen)).replaceAll('\r', '').trimEnd().split('\n');
  return {
    pair: stdout.trim() === 'there' ? 'there' : 'missing',
    terminal,
    async untilSays(words, within = ours.agentSays) {
      let lines: string[] = [];
      await until(
        `the terminal says ${String(words)}`,
        async () => {
          lines = await terminal();
          return lines.find((line) => says(line, words)) ?? lines.slice(-3);
        },
        (seen) => typeof seen === 'string',
        { within, every: 300 },
      );
      return lines;
    },
    async interrupt() {
      await vm.run(['sh', '-c', `printf '\\003' >${keys}`]);
    },
    async ended() {
      await until(
        'the session has ended',
        async () => (await vm.attempt(['systemctl', 'is-active', unit])).stdout.trim(),
        (state) => state !== 'active',
        { within: ours.unitState, every: 300 },
      );
    },
  };
}
