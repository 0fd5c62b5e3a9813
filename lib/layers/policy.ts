import type { Layer } from './layer.ts';

/** Policies are applied and taken away by each claim; the layer is the ground that they are tried on. */
export const policy: Layer = {
  name: 'policy',
  needs: ['apps'],
  title: 'Policies: the ground they are tried on',
  expectedMs: 100,
  up: async () => Promise.resolve(),
  check: async () => Promise.resolve(),
  down: async () => Promise.resolve(),
};
