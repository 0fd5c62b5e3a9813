import type { Conflict } from './assign.ts';
import type { ServiceObject } from './objects.ts';

/**
 * The Event that says why a Service has no address: which of its ports is held, by whom, on which nodes.
 * A second one about the same Service takes the place of the first.
 */
export function conflictEvent({ metadata }: ServiceObject, conflicts: readonly Conflict[], now: Date) {
  const nodesOf = new Map<string, string[]>();
  for (const { node, port, holder } of conflicts) {
    const what = `${port} is held by ${holder}`;
    nodesOf.set(what, [...(nodesOf.get(what) ?? []), node]);
  }
  const { namespace = 'default', name, uid = '' } = metadata;
  const reasons = [...nodesOf].map(([what, nodes]) => `${what} on ${nodes.join(', ')}`);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace, name: `${name}.port-conflict.${uid.slice(0, 8)}` },
    type: 'Warning',
    reason: 'PortConflict',
    message: `No node has all ports of this service free: ${reasons.join('; ')}.`,
    involvedObject: { apiVersion: 'v1', kind: 'Service', namespace, name, uid },
    source: { component: 'service-lb' },
    firstTimestamp: now.toISOString(),
    lastTimestamp: now.toISOString(),
    count: 1,
  };
}
