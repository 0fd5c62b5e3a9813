import { fixed, minutes, seconds, stretching } from './deadline.ts';

/**
 * How long what is ours may take on the reference machine (two cores, the VM emulated). On a slower or busier one each
 * of these is stretched by the patience (LAB_PATIENCE). What is seen to hold sooner is never waited for any longer, so
 * none of them is tight.
 */
export const ours = {
  /** A program on this host or on a machine, unless told otherwise. */
  command: stretching(minutes(1)),
  /** All that one place is asked for a bundle of diagnostics. */
  sections: stretching(seconds(20)),
  /** The API server is ready, from when it was started. */
  apiReady: stretching(minutes(2)),
  /** All nodes are Ready, from when kubelet was started. */
  nodesReady: stretching(minutes(2)),
  /** The holder of a lock lets go: it may build Kubernetes and Istio first. */
  lock: stretching(minutes(60)),
};

/** Limits that a standard, Kubernetes, Istio or systemd has. Claims assert them, so no machine stretches them. */
export const theirs = {
  /** istiod keeps the WorkloadEntry of a proxy that went away, as it may come back. */
  workloadEntryGrace: fixed(seconds(10), "istiod's PILOT_WORKLOAD_ENTRY_GRACE_PERIOD, 10 s by default"),
};
