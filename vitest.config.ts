import { defineConfig } from "vitest/config";

export default defineConfig({ test: { include: ["web/src/**/*.test.ts", "e2e/stage/*.test.ts"], environment: "node" } });
