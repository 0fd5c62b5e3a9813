import { defineConfig } from 'vitest/config';
export default defineConfig({ test: { include: ['falsify.tmp.test.ts'], silent: false } });
