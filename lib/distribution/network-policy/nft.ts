import { statSync } from 'node:fs';
import { join } from 'node:path';
import { run, type Run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf } from '#lib/base/errors.ts';
import { noRules } from './rules.ts';

/** Puts nft scripts in force in the network namespaces of nodes. */
export interface Enforcer {
  /** Puts in force what changed. What a node refuses stays as it was there, is logged, and is tried again next time. */
  apply(scripts: ReadonlyMap<string, string>): Promise<void>;
  /** Takes the rules away from every node. */
  remove(nodes: readonly string[]): Promise<void>;
}

/**
 * @param folder where the named network namespaces are, one for each node
 * @param log told what changed and what was refused
 */
export function enforcer(folder: string, log: (text: string) => void, runIt: Run = run): Enforcer {
  const inForce = new Map<string, { namespace: string; script: string }>();
  const refused = new Map<string, string>();
  const inside = async (node: string, words: readonly string[], input?: string): Promise<void> => {
    const options = { within: ours.nft, ...(input === undefined ? {} : { input }) };
    await runIt(['nsenter', `--net=${join(folder, node)}`, ...words], options);
  };

  const update = async (node: string, script: string): Promise<void> => {
    const namespace = identity(join(folder, node));
    const now = inForce.get(node);
    if (now?.namespace === namespace && now.script === script) return;
    // the kernel tells a pod of one refusal a second; the others would look like drops
    if (now?.namespace !== namespace) await inside(node, ['sysctl', '-qw', 'net.ipv4.icmp_ratelimit=0']);
    const started = performance.now();
    await inside(node, ['nft', '-f', '-'], script);
    inForce.set(node, { namespace, script });
    refused.delete(node);
    log(`${node}: ${summary(script)}, in force after ${String(Math.round(performance.now() - started))} ms`);
  };

  return {
    async apply(scripts) {
      const updates = [...scripts].map(async ([node, script]) =>
        update(node, script).catch((error: unknown) => {
          inForce.delete(node);
          const why = messageOf(error);
          if (refused.get(node) === why) return;
          refused.set(node, why);
          log(`${node}: the rules could not be put in force, those before stay, will be tried again: ${why}`);
        }),
      );
      await Promise.all(updates);
    },
    async remove(nodes) {
      inForce.clear();
      const removals = nodes.map(async (node) =>
        inside(node, ['nft', '-f', '-'], noRules).catch((error: unknown) => {
          log(`${node}: the rules could not be taken away: ${messageOf(error)}`);
        }),
      );
      await Promise.all(removals);
    },
  };
}

/** Tells a namespace from the one that had its name before: a machine that was made anew has no rules. */
function identity(namespace: string): string {
  const { dev, ino, ctimeMs } = statSync(namespace);
  // the number of a namespace that is gone may be given to the next one
  return [dev, ino, ctimeMs].join(' ');
}

function summary(script: string): string {
  const chains = script.match(/^ {2}chain (?:egress|ingress)_/gm) ?? [];
  return chains.length === 0 ? 'no pod is under a policy' : `${String(chains.length)} chains of policies`;
}
