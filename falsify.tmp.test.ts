import { test, vi } from 'vitest';
import { openLab } from '#lib/machines/local/lab.ts';
import { settings } from '#lib/base/settings.ts';
import { attachLab } from '#lib/layers/lab.ts';
const all = vi.hoisted(() => [] as { id: string; d: any }[]);
vi.mock('#lib/claims/claim.ts', () => ({ claims: () => (id: string, d: any) => all.push({ id, d }) }));
const only = (process.env['ONLY'] ?? '').split(',').filter(Boolean);
test('falsify', { timeout: 900_000 }, async () => {
  for (const f of Object.values(import.meta.glob('./suites/0[12]*/*.test.ts'))) await f();
  await openLab(settings());
  const lab = await attachLab();
  for (const { id, d } of all.filter(({ id, d }) => d.falsifier && (only.length === 0 || only.includes(id)))) {
    const seen = <T,>(_: string, v: T): T => v;
    const given = await d.given?.(lab);
    const t = performance.now();
    const f = await d.falsifier(lab);
    let said = 'STAYS GREEN';
    try { await d.proof(lab, seen); } catch (e: any) { said = `red: ${e.name}: ${String(e.message).slice(0, 260)}`; }
    await f.undo();
    let after = '?';
    const t2 = performance.now();
    for (let i = 0; i < 20; i++) {
      try { await d.proof(lab, seen); after = 'green'; break; } catch (e: any) { after = `still red: ${String(e.message).slice(0, 200)}`; await new Promise((r) => setTimeout(r, 500)); }
    }
    await given?.undo();
    console.log(`## ${id} [${f.name}] ${said} (${Math.round(performance.now() - t)} ms) -> ${after} after ${Math.round(performance.now() - t2)} ms`);
  }
});
