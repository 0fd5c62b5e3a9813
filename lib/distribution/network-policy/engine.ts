import { messageOf } from '#lib/base/errors.ts';
import { heartbeat } from '#lib/base/heartbeat.ts';
import { seconds } from '#lib/base/until.ts';
import { coalesced } from '#lib/base/coalesced.ts';
import type { Connection } from '#lib/kube/connection.ts';
import { informer } from '#lib/kube/informer.ts';
import { enforcer } from './nft.ts';
import type { NamespaceObject, PodObject, PolicyObject } from './objects.ts';
import { rules } from './rules.ts';

export interface EngineOptions {
  nodes: readonly string[];
  /** Where the nodes' named network namespaces are. */
  namespaces: string;
  log: (text: string) => void;
  signal: AbortSignal;
}

/**
 * Enforces the cluster's network policies on the nodes until it is stopped.
 * Rules that an engine before it left stay in force until everything is known.
 *
 * @returns stops the engine and takes its rules away
 */
export function policyEngine(
  api: Connection,
  { nodes, namespaces, log, signal }: EngineOptions,
): () => Promise<void> {
  const enforce = enforcer(namespaces, log);
  let working: Promise<void> = Promise.resolve();
  const follow = {
    changed: () => {
      changed();
    },
    log,
    signal,
  };
  const pods = informer<PodObject>(api, { path: '/api/v1/pods', ...follow });
  const spaces = informer<NamespaceObject>(api, { path: '/api/v1/namespaces', ...follow });
  const policies = informer<PolicyObject>(api, {
    path: '/apis/networking.k8s.io/v1/networkpolicies',
    ...follow,
  });

  const update = async (): Promise<void> => {
    const known = pods.synced() && spaces.synced() && policies.synced();
    if (!known || signal.aborted) return;
    working = enforce.apply(
      rules({ pods: pods.objects(), namespaces: spaces.objects(), policies: policies.objects(), nodes }),
    );
    await working;
  };
  const changed = coalesced(update, (error) => {
    log(`the rules could not be worked out: ${messageOf(error)}`);
  });
  // a node that was started anew has lost its rules, and no event need follow
  const stop = heartbeat(seconds(2), changed);

  return async () => {
    stop();
    await working;
    await enforce.remove(nodes);
  };
}
