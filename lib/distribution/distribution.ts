import type { Kube } from '#lib/kube/client.ts';
import type { LocalLab } from '#lib/machines/local/lab.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';

/** A program that runs on nodes in the background. */
export interface Program {
  name: string;
  /** The nodes that have it; all, unless told. */
  on?: NodeMachine['plan']['role'];
  /** Starts it on such a node. */
  start: (node: NodeMachine) => Promise<void>;
}

/** A Kubernetes that is put on machines, whoever they come from. */
export interface Distribution {
  readonly name: 'upstream' | 'k3s';
  /** The version that each of its nodes says it has. */
  readonly version: string;
  /** What a lab has with it, by the names that claims require. */
  readonly features: readonly string[];
  /** Where the control plane node has the key that service account tokens are signed with. */
  readonly signingKey: string;
  /** What runs on nodes in the background, in the order in which one needs the other. */
  readonly programs: readonly Program[];
  /** Lays programs and images into a machine whose folders the host sees, before it starts. */
  lay(node: NodeMachine): Promise<void>;
  /** Brings them into machines that run and whose folders the host does not see, unless they have them. */
  furnish(nodes: readonly NodeMachine[], note: (text: string) => void): Promise<void>;
  /**
   * Makes a cluster of machines that run. Returns once the API answers and everything is started; `nodesReady` waits
   * for the nodes.
   */
  start(lab: LocalLab, nodes: readonly NodeMachine[]): Promise<Kube>;
}

/** The node that the control plane is put on. */
export function controlPlaneOf(nodes: readonly NodeMachine[]): NodeMachine {
  const master = nodes.find(({ plan }) => plan.role === 'control-plane');
  if (!master) throw new Error('A cluster needs a control plane node.');
  return master;
}

/** The programs of a distribution that belong on a node. */
export const programsOn = (
  { programs }: Pick<Distribution, 'programs'>,
  { plan }: Pick<NodeMachine, 'plan'>,
): readonly Program[] => programs.filter(({ on = plan.role }) => on === plan.role);
