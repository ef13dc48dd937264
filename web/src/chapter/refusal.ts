import type { Lang } from "../app.ts";
import { pick } from "../i18n/lang.ts";
import { Refused } from "../wire/ask.ts";

/** Why a request came to nothing, in words for its reader. */
export function said(e: unknown, lang: Lang): string {
  if (e instanceof Refused) return [e.message, e.hint].filter(Boolean).join(". ");
  return pick(lang, [
    "Kubestage does not answer. Is it still running in your terminal?",
    "Kubestage가 응답하지 않습니다. 터미널에서 아직 실행 중인지 확인하세요.",
  ]);
}
