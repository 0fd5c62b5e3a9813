import { cgroups } from './cgroups.ts';
import type { Check } from './finding.ts';
import { labs } from './labs.ts';
import { inotify } from './limits.ts';
import { namespaces } from './namespaces.ts';
import { netfilter } from './netfilter.ts';
import { networks } from './networks.ts';
import { programs } from './programs.ts';
import { room } from './room.ts';
import { security } from './security.ts';
import { system } from './system.ts';
import { vm } from './vm.ts';

/** All that is looked at before a run, in the order of the report. */
export const checks: readonly Check[] = [
  system,
  ...programs,
  ...room,
  cgroups,
  inotify,
  namespaces,
  ...netfilter,
  ...security,
  ...vm,
  networks,
  labs,
];
