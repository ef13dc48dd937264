// Korean particles depend on how the word before them sounds at its end.
// Names in Latin letters are read the way engineers in Korea read them.

const spoken: Record<string, boolean> = {
  // whether the Korean reading ends in a consonant
  kubelet: true,
  kubectl: true,
  runtime: true,
  etcd: false,
  apiserver: false,
  scheduler: false,
  controller: false,
  manager: false,
  collector: false,
  kubestage: false,
  admin: true,
  web: true,
  pod: false,
  replicaset: true,
  autoscaler: false,
  publisher: false,
  cleaner: false,
  binder: false,
  cidr: false,
  db: false,
};

// 0 영, 1 일, 2 이, 3 삼, 4 사, 5 오, 6 육, 7 칠, 8 팔, 9 구
const digits = [true, true, false, true, false, false, true, true, true, false];

/** What is read aloud of a word: not the English name that stands in parentheses behind a Korean one. */
const aloud = (word: string) => word.replace(/(\S)\([^()]*\)$/, "$1").replace(/[)\]"'’”]+$/, "");

export function endsInConsonant(name: string): boolean {
  const word = aloud(name);
  const last = word.slice(-1);
  const code = last.charCodeAt(0);
  if (code >= 0xac00 && code <= 0xd7a3) return (code - 0xac00) % 28 !== 0;
  if (/\d/.test(last)) return digits[Number(last)]!;
  const tail = /[a-z]+$/i.exec(word)?.[0].toLowerCase() ?? "";
  const known = spoken[tail];
  if (known !== undefined) return known;
  // Capitals are read letter by letter; of their names only 엘, 엠, 엔 and 알 end in a consonant.
  if (/[A-Z]{2}$/.test(word)) return /[LMNR]$/.test(word);
  return /[lmnbkpt]$/i.test(last) || /ng$/i.test(word);
}

/** 을 and ㄹ count as a vowel before 로. */
function endsInL(name: string): boolean {
  const word = aloud(name);
  const code = word.charCodeAt(word.length - 1);
  if (code >= 0xac00 && code <= 0xd7a3) return (code - 0xac00) % 28 === 8;
  return /[178]$/.test(word) || /l$/i.test(word);
}

export type Particle = "이" | "을" | "은" | "과" | "로";
const forms: Record<Particle, [after: string, vowel: string]> = {
  이: ["이", "가"],
  을: ["을", "를"],
  은: ["은", "는"],
  과: ["과", "와"],
  로: ["으로", "로"],
};

/** The word with the particle that fits it: with("scheduler", "이") is "scheduler가". */
export function withParticle(word: string, p: Particle): string {
  const consonant = p === "로" ? endsInConsonant(word) && !endsInL(word) : endsInConsonant(word);
  return word + forms[p][consonant ? 0 : 1];
}
