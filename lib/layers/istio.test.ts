import { expect, test, vi } from 'vitest';
import { withinItsOwnLimit } from './istio.ts';

const slow = new Error(
  'failed to update resource with server-side apply for obj HorizontalPodAutoscaler: context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
);

test('an installation that missed a limit of istioctl itself is run again', async () => {
  const installing = vi.fn().mockRejectedValueOnce(slow).mockResolvedValueOnce(undefined);
  await withinItsOwnLimit(installing);
  expect(installing).toHaveBeenCalledTimes(2);
});

test('it is run again so often and no more', async () => {
  const installing = vi.fn().mockRejectedValue(slow);
  await expect(withinItsOwnLimit(installing, 3)).rejects.toBe(slow);
  expect(installing).toHaveBeenCalledTimes(3);
});

test('an installation that fails for another reason is not run again', async () => {
  const wrong = new Error('the given path "meshConfig.x" is unknown');
  const installing = vi.fn().mockRejectedValue(wrong);
  await expect(withinItsOwnLimit(installing)).rejects.toBe(wrong);
  expect(installing).toHaveBeenCalledTimes(1);
});
