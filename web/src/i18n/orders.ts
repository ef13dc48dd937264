// What a person can do to components and links, and what will come of it.
import type { Lang } from "../app.ts";
import { linkEnds } from "./captions.ts";
import { type Both, pick } from "./lang.ts";
import { withParticle as w } from "./particle.ts";

export const componentOrders = ["stop", "kill", "freeze", "thaw", "start"] as const;
export const linkOrders = ["cut", "delay", "heal"] as const;
export type Order = (typeof componentOrders)[number] | (typeof linkOrders)[number];

/** How long a delayed link takes longer. */
export const DELAY = "200ms";

const buttons: Record<Order, Both> = {
  stop: ["Stop", "멈추기"],
  kill: ["Kill", "강제 종료"],
  freeze: ["Freeze", "얼리기"],
  thaw: ["Thaw", "녹이기"],
  start: ["Start", "시작하기"],
  cut: ["Cut off", "끊기"],
  delay: ["Delay by 200 ms", "200밀리초 늦추기"],
  heal: ["Heal", "잇기"],
};

export const orderWord = (lang: Lang, o: Order): string => pick(lang, buttons[o]);

const questions: Record<
  Exclude<Order, "cut" | "delay" | "heal">,
  [en: (n: string) => string, ko: (n: string) => string]
> = {
  stop: [(n) => `Stop ${n}?`, (n) => `${w(n, "을")} 멈출까요?`],
  kill: [(n) => `Kill ${n}?`, (n) => `${w(n, "을")} 강제로 끝낼까요?`],
  freeze: [(n) => `Freeze ${n}?`, (n) => `${w(n, "을")} 얼릴까요?`],
  thaw: [(n) => `Thaw ${n}?`, (n) => `${w(n, "을")} 녹일까요?`],
  start: [(n) => `Start ${n}?`, (n) => `${w(n, "을")} 시작할까요?`],
};

const deeds: Record<keyof typeof questions, Both> = {
  stop: [
    "Its process is asked to end, and stays down until you start it.",
    "프로세스에 끝내 달라고 부탁합니다. 다시 시작할 때까지 꺼져 있습니다.",
  ],
  kill: [
    "Its process ends at once, without a chance to tidy up (SIGKILL). Kubestage then starts it again.",
    "정리할 틈도 없이 프로세스가 곧바로 끝납니다(SIGKILL). 그 뒤 Kubestage가 다시 시작합니다.",
  ],
  freeze: [
    "Its process stays where it is and does nothing until you thaw it (SIGSTOP).",
    "프로세스가 그 자리에 멈춰 녹일 때까지 아무 일도 하지 않습니다(SIGSTOP).",
  ],
  thaw: ["Its process goes on where it was (SIGCONT).", "프로세스가 멈췄던 곳에서 이어 갑니다(SIGCONT)."],
  start: ["Its process starts now.", "프로세스를 지금 시작합니다."],
};

/** What the others notice while a component does not work, or is cut off. */
const missing: Record<string, Both> = {
  etcd: [
    "Without etcd the kube-apiserver can neither read nor write, so nothing in the cluster can change. Containers go on.",
    "etcd가 없으면 kube-apiserver는 읽지도 쓰지도 못해 클러스터에서 아무것도 바뀌지 않습니다. 컨테이너는 계속 돕니다.",
  ],
  "kube-apiserver": [
    "Nobody can ask for anything or hear of anything. Containers go on, and so does this page.",
    "아무도 요청을 보낼 수 없고 소식도 들을 수 없습니다. 컨테이너는 계속 돌고, 이 페이지도 그대로입니다.",
  ],
  "kube-controller-manager": [
    "Nobody compares what is wanted with what is: a lost pod is not replaced, a new Deployment gets no pods.",
    "바라는 것과 지금 상태를 견주는 이가 없습니다. 파드가 사라져도 채우는 이가 없고, 새 디플로이먼트에는 파드가 생기지 않습니다.",
  ],
  "kube-scheduler": [
    "Nobody chooses a node for new pods: they stay Pending. Pods that have a node are not touched.",
    "새 파드의 노드를 고르는 이가 없어 새 파드는 Pending에 머무릅니다. 이미 노드가 있는 파드는 그대로입니다.",
  ],
  kubelet: [
    "Its containers go on, but nobody reports on them and nothing new starts there. When its lease has been stale for a while, the node counts as NotReady and its pods are to be moved away.",
    "컨테이너는 계속 돌지만 상태를 보고하는 이가 없고 새로 시작되는 것도 없습니다. 리스가 한동안 갱신되지 않으면 노드는 NotReady로 표시되고, 그 노드의 파드는 축출 대상이 됩니다.",
  ],
  kubectl: [
    "Your own commands no longer reach the cluster. The cluster goes on without you.",
    "여러분의 명령이 클러스터에 닿지 않습니다. 클러스터는 그대로 돌아갑니다.",
  ],
  kubestage: [
    "Kubestage's own requests no longer reach the cluster. What the others do is still seen.",
    "Kubestage의 요청이 클러스터에 닿지 않습니다. 다른 이들이 하는 일은 계속 보입니다.",
  ],
};

/** A kubelet's process also holds its node's container runtime, and the containers in it. */
const withItsNode: Both = [
  "Here the node's container runtime lives in the same process, so its containers do not go on either. When the node's lease has been stale for a while, it counts as NotReady and its pods are to be moved away.",
  "여기서는 노드의 컨테이너 런타임이 같은 프로세스 안에 있어서 컨테이너도 함께 멈춥니다. 리스가 한동안 갱신되지 않으면 노드는 NotReady로 표시되고, 그 노드의 파드는 축출 대상이 됩니다.",
];

export interface Question {
  title: string;
  text: string[];
}

/** What a dialog asks before an order is given. */
export function question(lang: Lang, order: Order, name: string): Question {
  const lost = name.startsWith("kubelet:") && order !== "cut" ? withItsNode : missing[name.split(":")[0]!];
  const misses = lost && !["thaw", "start", "delay", "heal"].includes(order) ? [pick(lang, lost)] : [];
  const [a, b] = linkEnds(lang, name);
  const ko = lang === "ko";
  switch (order) {
    case "cut":
      return {
        title: ko ? `${w(a, "과")} ${b} 사이를 끊을까요?` : `Cut ${a} off from ${b}?`,
        text: [
          ko
            ? "다시 이을 때까지 어느 쪽으로도 아무것도 지나가지 못합니다. 양쪽 프로세스는 계속 돕니다."
            : "Nothing gets through in either direction until you heal it. Both processes go on running.",
          ...misses,
        ],
      };
    case "delay":
      return {
        title: ko ? `${w(a, "과")} ${b} 사이를 늦출까요?` : `Delay what passes between ${a} and ${b}?`,
        text: [
          ko
            ? "이을 때까지 오가는 모든 것이 200밀리초씩 늦게 도착합니다."
            : "Everything between them arrives 200 ms later, both ways, until you heal it.",
        ],
      };
    case "heal":
      return {
        title: ko ? `${w(a, "과")} ${b} 사이를 다시 이을까요?` : `Heal the link between ${a} and ${b}?`,
        text: [
          ko
            ? "서로 다시 닿습니다. 그동안 놓친 것은 스스로 따라잡습니다."
            : "They reach each other again, and catch up on what they missed.",
        ],
      };
    default: {
      const who = name === "etcd" || !name.includes(":") ? name : a;
      return { title: questions[order][ko ? 1 : 0](who), text: [pick(lang, deeds[order]), ...misses] };
    }
  }
}
