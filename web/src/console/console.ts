import type { Mount } from "../app.ts";

export const mount: Mount = () => {};
