import type { LocalLab } from '#lib/machines/local/lab.ts';
/** placeholder until controllers land */
export async function startControllers(_lab: LocalLab, _nodes: readonly string[]): Promise<void> { return Promise.resolve(); }
