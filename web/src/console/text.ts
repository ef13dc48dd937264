import type { Lang } from "../app.ts";

export interface ConsoleText {
  title: string;
  prompt: string;
  run: string;
  cancel: string;
  clear: string;
  editor: string;
  editorLabel: string;
  editorHint: string;
  /** Asks the cluster what it would make of the text, without storing anything. */
  check: string;
  apply: string;
  output: string;
  examples: string;
  welcome: string;
  readOnly: string;
  running(command: string): string;
  finished(lines: number): string;
  failed(exit: number, lines: number): string;
  cancelled: string;
  broken: string;
  stopped: string;
  terminalInput: string;
  tooMuch: string;
  nothing: string;
  linkedTitle: string;
  linkedWords: string;
  linkedIn(namespace: string): string;
  linkedStrange: string;
  linkedNot: string;
  linkedKeep: string;
  linkedCancel: string;
  close: string;
}

const en: ConsoleText = {
  title: "kubectl console",
  prompt: "kubectl command",
  run: "Run",
  cancel: "Cancel",
  clear: "Clear",
  editor: "YAML",
  editorLabel: "YAML for commands that end in -f -",
  editorHint:
    "A command with -f - reads this text. Ctrl-Space asks the cluster which fields there are; what it has no place for is marked (F8 goes to the next mark). Check has the kube-apiserver try it, without storing anything.",
  check: "Check (dry run)",
  apply: "Apply",
  output: "What kubectl answered",
  examples: "Examples",
  welcome: "The real kubectl, against the cluster on the stage.",
  readOnly: "An attached cluster is only read here. Use kubectl in your own terminal to change it.",
  running: (command) => `Running: ${command}`,
  finished: (lines) => `Done, ${lines} ${lines === 1 ? "line" : "lines"}.`,
  failed: (exit, lines) => `Failed with exit code ${exit}, ${lines} ${lines === 1 ? "line" : "lines"}.`,
  cancelled: "Cancelled.",
  broken: "The answer broke off.",
  stopped: "Kubestage does not answer. Is it still running in your terminal?",
  terminalInput: "Terminal: kubectl commands",
  tooMuch: "Too much to read out; move with the arrow keys.",
  nothing: "nothing to complete with",
  linkedTitle: "Run the command of this link?",
  linkedWords:
    "The link you opened brings this command. It is run on the cluster on the stage, and only if you want it.",
  linkedIn: (namespace) =>
    `The link you opened brings this command. It is run in your namespace ${namespace}, and only if you want it.`,
  linkedStrange:
    "The link you opened brings something that is not a kubectl command of one line, or has invisible characters in it. It is not run.",
  linkedNot: "The link you opened brings a command, but this page cannot run any: it only watches.",
  linkedKeep: "Put it into the console",
  linkedCancel: "Do not run it",
  close: "Close",
};

const ko: ConsoleText = {
  title: "kubectl 콘솔",
  prompt: "kubectl 명령",
  run: "실행",
  cancel: "중단",
  clear: "지우기",
  editor: "YAML",
  editorLabel: "-f -로 끝나는 명령이 읽는 YAML",
  editorHint:
    "-f -가 있는 명령은 이 글을 읽습니다. Ctrl-Space를 누르면 어떤 필드가 있는지 클러스터에 묻고, 클러스터가 모르는 것에는 표시가 됩니다(F8을 누르면 다음 표시로 갑니다). 검사는 kube-apiserver가 저장하지 않고 시험만 해 보는 것입니다.",
  check: "검사(dry run)",
  apply: "적용(apply)",
  output: "kubectl의 응답",
  examples: "예시",
  welcome: "무대 위의 클러스터에 연결된 진짜 kubectl입니다.",
  readOnly: "연결된 클러스터는 여기서 읽기만 합니다. 바꾸려면 여러분의 터미널에서 kubectl을 쓰세요.",
  running: (command) => `실행 중: ${command}`,
  finished: (lines) => `끝났습니다. ${lines}줄입니다.`,
  failed: (exit, lines) => `실패했습니다. 종료 코드 ${exit}, ${lines}줄입니다.`,
  cancelled: "중단했습니다.",
  broken: "응답이 도중에 끊겼습니다.",
  stopped: "Kubestage가 응답하지 않습니다. 터미널에서 아직 실행 중인지 확인하세요.",
  terminalInput: "터미널: kubectl 명령",
  tooMuch: "읽어 주기에는 너무 깁니다. 방향키로 옮겨 다니며 읽으세요.",
  nothing: "완성할 것이 없습니다",
  linkedTitle: "링크에 담긴 명령을 실행할까요?",
  linkedWords: "방금 연 링크에 이 명령이 들어 있습니다. ‘실행’을 누를 때만 무대 위의 클러스터에서 실행됩니다.",
  linkedIn: (namespace) =>
    `방금 연 링크에 이 명령이 들어 있습니다. ‘실행’을 누를 때만 내 네임스페이스 ${namespace}에서 실행됩니다.`,
  linkedStrange:
    "방금 연 링크에 들어 있는 것은 한 줄짜리 kubectl 명령이 아니거나 보이지 않는 글자가 섞여 있습니다. 실행하지 않습니다.",
  linkedNot: "방금 연 링크에 명령이 들어 있지만, 이 페이지에서는 보기만 할 수 있어 실행하지 않습니다.",
  linkedKeep: "콘솔에 넣기",
  linkedCancel: "실행하지 않기",
  close: "닫기",
};

export const consoleText: Record<Lang, ConsoleText> = { en, ko };

/** Commands to begin with; the words on the button are the command itself. */
export const examples = [
  "kubectl create deployment web --image=nginx --replicas=3",
  "kubectl get pods -o wide -w",
  "kubectl scale deployment web --replicas=5",
  "kubectl delete deployment web",
  "kubectl apply -f -",
];

export const sampleManifest = `apiVersion: v1
kind: Pod
metadata:
  name: mine
spec:
  containers:
  - name: web
    image: nginx:1.29
`;
