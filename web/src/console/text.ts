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
    "A command with -f - reads this text. Ctrl-Space asks the cluster which fields there are. Check has the kube-apiserver try it, without storing anything.",
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
    "-f -가 있는 명령은 이 글을 읽습니다. Ctrl-Space를 누르면 어떤 필드가 있는지 클러스터에 묻습니다. 검사는 kube-apiserver가 저장하지 않고 시험만 해 보는 것입니다.",
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
