import type { Lang } from "../app.ts";

export interface ChapterText {
  run: string;
  runAgain: string;
  stop: string;
  states: Record<"waiting" | "current" | "done", string>;
  commandStates: Record<"waiting" | "running" | "done" | "failed", string>;
  starting: string;
  cleaning: string;
  running: string;
  done(ms: string): string;
  stopped: string;
  broken: string;
  noServer: string;
  readOnly: string;
  nothingRuns: string;
  showAll: string;
  showCurrent: string;
  later(ms: string): string;
  goTo: string;
  predicted: string;
  rightAnswer: string;
  wrongAnswer: string;
  shown: string;
  checking: string;
  passed: string;
  passedBefore: string;
  missing: string;
  toConsole: string;
  borneOut(yes: number, all: number): string;
  claims: Record<"waiting" | "true" | "untrue", string>;
  otherWay: string;
  playRecorded: string;
  recorded: string;
}

const en: ChapterText = {
  run: "Run",
  runAgain: "Run again",
  stop: "Stop",
  states: { waiting: "not yet", current: "happening now", done: "done" },
  commandStates: { waiting: "not yet", running: "running", done: "done", failed: "failed" },
  starting: "Starting.",
  cleaning: "Removing what the last run left.",
  running:
    "Running. The text follows what happens, slowed down so that it can be read. Below the stage, + plays faster and Live skips to now.",
  done: (ms) => `It happened: ${ms} from the first step to the last. Click a step to look at it again.`,
  stopped: "Stopped. What was created stays in the cluster.",
  broken: "The answer broke off. Run it again.",
  noServer: "Kubestage does not answer. Is it still running in your terminal?",
  readOnly: "An attached cluster is only read. Start Kubestage without --kubeconfig to run this scene.",
  nothingRuns: "This is a recording. Start Kubestage without replay to run this scene.",
  showAll: "Open all",
  showCurrent: "Only the current one",
  later: (ms) => `+${ms}`,
  goTo: "Show on the stage",
  predicted: "Noted. Now run it and see.",
  rightAnswer: "As you predicted.",
  wrongAnswer: "Not what you predicted.",
  shown: "The log decided.",
  checking: "Looking at the log.",
  passed: "Passed.",
  passedBefore: "You have passed this checkpoint before.",
  missing: "Not yet. The first open point says what is missing.",
  toConsole: "Put it into the console",
  borneOut: (yes, all) =>
    yes === all
      ? `The log of this run bears out all ${all} claims of the text.`
      : `The log of this run bears out only ${yes} of the text's ${all} claims; the list below says which. Please report that.`,
  claims: { waiting: "", true: "borne out: ", untrue: "not borne out: " },
  otherWay: "The cluster is as asked, but the log says it came about another way than asked. See the open point.",
  playRecorded: "Play a recorded run",
  recorded: "This is a recorded run of this scene. Play it, stop it, step through it.",
};

const ko: ChapterText = {
  run: "실행",
  runAgain: "다시 실행",
  stop: "중단",
  states: { waiting: "아직", current: "지금 일어나는 중", done: "끝남" },
  commandStates: { waiting: "아직", running: "실행 중", done: "끝남", failed: "실패" },
  starting: "시작합니다.",
  cleaning: "지난 실행이 남긴 것을 지우고 있습니다.",
  running:
    "실행 중입니다. 글은 일어나는 일을 따라가며, 읽을 수 있도록 느리게 보여 줍니다. 무대 아래의 +를 누르면 더 빨라지고, 라이브를 누르면 지금으로 건너뜁니다.",
  done: (ms) => `다 일어났습니다. 첫 단계부터 마지막 단계까지 ${ms} 걸렸습니다. 단계를 누르면 다시 볼 수 있습니다.`,
  stopped: "중단했습니다. 이미 만들어진 것은 클러스터에 남아 있습니다.",
  broken: "응답이 도중에 끊겼습니다. 다시 실행하세요.",
  noServer: "Kubestage가 응답하지 않습니다. 터미널에서 아직 실행 중인지 확인하세요.",
  readOnly: "연결된 클러스터는 읽기만 합니다. 이 장면을 실행하려면 --kubeconfig 없이 Kubestage를 시작하세요.",
  nothingRuns: "기록을 재생하는 중입니다. 이 장면을 실행하려면 replay 없이 Kubestage를 시작하세요.",
  showAll: "모두 펼치기",
  showCurrent: "지금 단계만",
  later: (ms) => `+${ms}`,
  goTo: "무대에서 보기",
  predicted: "적어 두었습니다. 이제 실행해서 확인하세요.",
  rightAnswer: "예측이 맞았습니다.",
  wrongAnswer: "예측과 다릅니다.",
  shown: "로그가 답했습니다.",
  checking: "로그를 살펴보고 있습니다.",
  passed: "통과했습니다.",
  passedBefore: "이 확인 문제는 이미 통과했습니다.",
  missing: "아직입니다. 처음 열려 있는 항목이 무엇이 빠졌는지 알려 줍니다.",
  toConsole: "콘솔에 넣기",
  borneOut: (yes, all) =>
    yes === all
      ? `본문의 주장 ${all}개가 이번 실행의 로그에서 모두 사실로 확인되었습니다.`
      : `본문의 주장 ${all}개 가운데 ${yes}개만 이번 실행의 로그에서 확인되었습니다. 어느 것인지는 아래 목록에 있습니다. 알려 주시면 고치겠습니다.`,
  claims: { waiting: "", true: "확인됨: ", untrue: "확인되지 않음: " },
  otherWay:
    "클러스터는 요청한 모습이지만, 로그를 보면 요청과 다른 방법으로 그렇게 되었습니다. 열려 있는 항목을 보세요.",
  playRecorded: "기록된 실행 재생",
  recorded: "이 장면을 기록해 둔 것입니다. 재생하고 멈추고 한 걸음씩 살펴보세요.",
};

export const chapterText: Record<Lang, ChapterText> = { en, ko };
