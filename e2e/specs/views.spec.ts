// The views beside the stage show the log at the playhead: the same events,
// forward and back, with an address for every state.
import type { Page } from "@playwright/test";
import type { KubeEvent } from "../../web/src/wire/event.ts";
import type { Dashboard } from "../dashboard.ts";
import { Stage } from "../pages/stage.ts";
import { expectReadable } from "../readable.ts";
import { expect, test } from "../test.ts";

const views = ["stage", "sequence", "etcd", "scheduler", "object"] as const;

/** Creates a Deployment and returns the events until one of its Pods runs. */
async function deploy(dashboard: Dashboard, name: string, replicas = 1): Promise<KubeEvent[]> {
  const before = await dashboard.lastSeq();
  await dashboard.kubectl(`kubectl create deployment ${name} --image=nginx --replicas=${replicas}`);
  return dashboard.eventsWhen("its pods run", before, (all) => {
    const running = all.filter(
      (e) => writesPodOf(name, e) && JSON.stringify(e.detail?.value ?? {}).includes('"phase":"Running"'),
    );
    return new Set(running.map((e) => e.object?.uid)).size === replicas;
  });
}

/** Pods of a Deployment that was deleted a moment ago are still being written. */
const writesPodOf = (deployment: string, e: KubeEvent): boolean =>
  e.kind === "etcd" && e.object?.resource === "pods" && Boolean(e.object.name?.startsWith(`${deployment}-`));

const first = (events: KubeEvent[], fits: (e: KubeEvent) => boolean): KubeEvent => {
  const found = events.find(fits);
  if (!found) throw new Error("the log has no such event");
  return found;
};

async function open(dashboard: Dashboard, page: Page, path: string, until: number): Promise<Stage> {
  await page.goto(dashboard.url + path);
  await page.waitForFunction((seq) => window.kubestage?.log().last >= seq, until);
  const stage = new Stage(page);
  await stage.idle();
  return stage;
}

test("the sequence has a row for each event of the story until the playhead", async ({ dashboard, page }) => {
  const events = await deploy(dashboard, "rows");
  const root = first(
    events,
    (e) => e.kind === "request" && e.verb === "create" && e.object?.resource === "deployments",
  );
  const story = (await (await fetch(`${dashboard.url}/api/stories/${root.seq}`)).json()) as { events: number[] };
  const last = events.at(-1)!.seq;
  await open(dashboard, page, `/en/?view=sequence&story=${root.seq}`, last);
  const rows = page.locator("#view-sequence .sequence:not([hidden]) .seq-row");
  const seqs = () => rows.evaluateAll((all) => all.map((r) => Number(r.getAttribute("data-event"))));
  const at = story.events[9]!;
  await page.evaluate((seq) => window.kubestage.seek(seq), at);
  await expect.poll(seqs).toEqual(story.events.slice(0, 10));
  // A step may be several events (the notifications of one revision), so that the tenth need not be the end of one.
  await page.keyboard.press("ArrowRight");
  await expect.poll(async () => (await seqs()).length).toBeGreaterThan(10);
  const there = await seqs();
  await page.keyboard.press("ArrowRight");
  await expect.poll(async () => (await seqs()).length).toBeGreaterThan(there.length);
  for (const seq of await seqs()) expect(story.events).toContain(seq);
  await page.keyboard.press("ArrowLeft");
  await expect.poll(seqs).toEqual(there);

  await rows.first().click();
  await expect(page.locator("#panel-inspector")).toContainText("kubernetes-admin");

  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save as SVG" }).click(),
  ]);
  const svg = await (await download.createReadStream()).toArray();
  const text = Buffer.concat(svg as Buffer[]).toString();
  expect(text).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  expect(text.match(/class="seq-row/g)).toHaveLength(there.length);
  await dashboard.kubectl("kubectl delete deployment rows");
});

test("two stories stand side by side, with what each took", async ({ dashboard, page }) => {
  const one = await deploy(dashboard, "one", 1);
  const three = await deploy(dashboard, "three", 3);
  const rootOf = (events: KubeEvent[]) =>
    first(events, (e) => e.kind === "request" && e.verb === "create" && e.object?.resource === "deployments").seq;
  await open(dashboard, page, `/en/?view=sequence&story=${rootOf(three)}&with=${rootOf(one)}`, three.at(-1)!.seq);
  const table = page.locator(".compare-table");
  const made = table.getByRole("columnheader", { name: "Pods created" });
  await expect(made).toBeVisible();
  const column = await made.evaluate((th) => [...th.parentElement!.children].indexOf(th));
  const cells = table.locator(`tbody tr > :nth-child(${column + 1})`);
  await expect(cells).toHaveText(["3", "1"]);
  await expect(page.locator("#view-sequence .sequence:not([hidden])")).toHaveCount(2);
  await dashboard.kubectl("kubectl delete deployment one three");
});

test("etcd's view shows what a write changed and who asked for it", async ({ dashboard, page }) => {
  const events = await deploy(dashboard, "ledger");
  const bound = first(
    events,
    (e) => writesPodOf("ledger", e) && JSON.stringify(e.detail?.value).includes('"nodeName"'),
  );
  await open(dashboard, page, `/en/?view=etcd&focus=event:${bound.seq}#at=${bound.seq}`, events.at(-1)!.seq);
  const detail = page.locator("#view-etcd .split-detail");
  await expect(detail.locator(".key-title")).toHaveText(String(bound.detail?.key));
  await expect(detail.locator(".asked")).toContainText("system:kube-scheduler");
  await expect(detail.locator(".added").filter({ hasText: "nodeName" })).toHaveCount(1);
  await expect(detail.locator("code")).toHaveText(`etcdctl get ${bound.detail?.key} --rev=${bound.revision} -w json`);
  await dashboard.kubectl("kubectl delete deployment ledger");
});

test("a Secret's value is in no view", async ({ dashboard, page }) => {
  const before = await dashboard.lastSeq();
  await dashboard.kubectl("kubectl create secret generic quiet --from-literal=word=open-sesame");
  const events = await dashboard.eventsWhen("the Secret", before, (all) =>
    all.some((e) => e.kind === "etcd" && e.object?.name === "quiet"),
  );
  const stored = first(events, (e) => e.kind === "etcd" && e.object?.name === "quiet");
  for (const view of ["etcd", "object"] as const) {
    await open(dashboard, page, `/en/?view=${view}&focus=event:${stored.seq}#at=${stored.seq}`, stored.seq);
    const shown = page.locator(`#view-${view}`);
    await expect(shown).toContainText("quiet");
    await expect(shown).toContainText("never enter the log");
    const text = (await page.content()) + (await shown.innerText());
    expect(text).not.toContain("open-sesame");
    expect(text).not.toContain(Buffer.from("open-sesame").toString("base64"));
  }
  await dashboard.kubectl("kubectl delete secret quiet");
});

test("the scheduler's view tells its decision, and that nothing is scored when one node passes", async ({
  dashboard,
  page,
}) => {
  const events = await deploy(dashboard, "free");
  const cycle = first(events, (e) => e.kind === "schedule" && e.detail?.result === "scheduled");
  const d = cycle.detail as { node: string; nodes: { name: string; total: number; scores: Record<string, number> }[] };
  await open(dashboard, page, `/en/?view=scheduler&focus=event:${cycle.seq}`, events.at(-1)!.seq);
  const scores = page.locator("#view-scheduler .scores");
  for (const n of d.nodes) {
    const row = scores.locator("tbody tr").filter({ hasText: n.name });
    await expect(row.locator(".total")).toHaveText(String(n.total));
    for (const plugin of Object.keys(n.scores))
      await expect(scores.getByRole("columnheader", { name: plugin, exact: true })).toBeVisible();
  }
  await expect(scores.locator(".won th")).toHaveText(`★ ${d.node}`);

  const before = await dashboard.lastSeq();
  await dashboard.kubectl(
    "kubectl create -f -",
    JSON.stringify({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "only" },
      spec: { nodeSelector: { "kubernetes.io/hostname": "node-2" }, containers: [{ name: "c", image: "nginx" }] },
    }),
  );
  const more = await dashboard.eventsWhen("its cycle", before, (all) =>
    all.some((e) => e.kind === "schedule" && e.object?.name === "only"),
  );
  const alone = first(more, (e) => e.kind === "schedule" && e.object?.name === "only");
  expect(alone.detail?.feasible).toBe(1);
  await open(dashboard, page, `/en/?view=scheduler&focus=event:${alone.seq}`, alone.seq);
  await expect(page.locator("#view-scheduler .funnel")).toContainText("no scores");
  await dashboard.kubectl("kubectl delete pod only --now");
  await dashboard.kubectl("kubectl delete deployment free");
});

test("each field of an object is marked with its writer", async ({ dashboard, page }) => {
  const events = await deploy(dashboard, "fields");
  const running = first(
    events,
    (e) => writesPodOf("fields", e) && JSON.stringify(e.detail?.value ?? {}).includes('"phase":"Running"'),
  );
  const node = (running.detail?.value as { spec: { nodeName: string } } | undefined)?.spec.nodeName;
  await open(
    dashboard,
    page,
    `/en/?view=object&focus=object:pods/default/${running.object?.name}#at=${running.seq}`,
    events.at(-1)!.seq,
  );
  const view = page.locator("#view-object");
  const writer = async (line: string): Promise<string> => {
    const letter = await view
      .locator(".yaml-line")
      .filter({ hasText: line })
      .first()
      .locator(".writer-mark")
      .innerText();
    const one = view.locator(".writers li").filter({ has: page.locator(`.writer-mark:text-is("${letter}")`) });
    return one.innerText();
  };
  expect(await writer("nodeName:")).toContain("system:kube-scheduler");
  expect(await writer("phase: Running")).toContain(`system:node:${node}`);
  expect(await writer("image: nginx")).toContain("replicaset-controller");
  expect(await writer("uid:")).toContain("filled in by itself");
  await dashboard.kubectl("kubectl delete deployment fields");
});

test("a story is stepped through alone, and loops", async ({ dashboard, page }) => {
  const events = await deploy(dashboard, "steps");
  const root = first(
    events,
    (e) => e.kind === "request" && e.verb === "create" && e.object?.resource === "deployments",
  );
  const stage = await open(dashboard, page, "/en/", events.at(-1)!.seq);
  await stage.tab("stories");
  await page.locator(`[data-story="${root.seq}"]`).click();
  await expect(page.locator('[data-action="pin"]')).toHaveAttribute("aria-pressed", "true");
  const story = (await (await fetch(`${dashboard.url}/api/stories/${root.seq}`)).json()) as { events: number[] };
  const seen: number[] = [];
  await page.locator("#view-stage").focus();
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press("ArrowRight");
    seen.push((await stage.step()) ?? 0);
  }
  for (const seq of seen) expect(story.events).toContain(seq);
  expect([...new Set(seen)]).toEqual(seen);
  for (let i = 0; i < 12; i++) await page.keyboard.press("ArrowLeft");
  expect(await stage.step()).toBe(root.seq);
  await expect(page).toHaveURL(new RegExp(`story=${root.seq}.*#at=\\d+`));

  await page.evaluate(() => window.kubestage.speed(1));
  await page.keyboard.press("i");
  for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowRight");
  await page.keyboard.press("o");
  await page.keyboard.press("Space");
  const rounds = await page.evaluate(async (root) => {
    let back = 0;
    let most = 0;
    for (let before = 0, i = 0; i < 2000 && back < 2; i++) {
      await new Promise(requestAnimationFrame);
      const at = window.kubestage.playhead();
      if (at < before) back++;
      most = Math.max(most, at);
      before = at;
    }
    return { back, most, root };
  }, root.seq);
  expect(rounds.back, "it goes round").toBe(2);
  const inside = await page.evaluate(
    (most) => window.kubestage.log().foreground.findLast((s) => s <= most),
    rounds.most,
  );
  expect(inside, "and no further").toBe(seen[2]);
  await stage.press("live");
  await expect(page.locator('[data-action="pin"]')).toHaveAttribute("aria-pressed", "false");
  await dashboard.kubectl("kubectl delete deployment steps");
});

test("the inspector climbs from a Pod's row to the command it came of", async ({ dashboard, page }) => {
  const events = await deploy(dashboard, "because");
  const row = first(events, (e) => writesPodOf("because", e));
  await open(dashboard, page, `/en/#at=${row.seq}`, events.at(-1)!.seq);
  const panel = page.locator("#panel-inspector");
  const title = panel.locator("h2").first();
  const climbed: string[] = [];
  for (let i = 0; i < 20; i++) {
    await page.keyboard.press("w");
    await expect.poll(() => title.innerText()).not.toBe(climbed.at(-1) ?? "");
    climbed.push(await title.innerText());
    if (i === 1) {
      await expect(panel.getByRole("link", { name: "manageReplicas" })).toHaveAttribute(
        "href",
        /^https:\/\/github\.com\/kubernetes\/kubernetes\/blob\/v1\.36\.3\/pkg\/controller\/replicaset\/replica_set\.go#L\d+$/,
      );
      await expect(panel).toContainText("ClusterRole/system:controller:replicaset-controller");
      await expect(panel.getByRole("link", { name: /Using pods|ReplicaSet/ })).toBeVisible();
    }
    if (climbed.at(-1)?.startsWith("kubectl asks")) break;
  }
  expect(climbed[0]).toContain("writes Pod because-");
  expect(climbed[1]).toContain("The replicaset controller asks the kube-apiserver to create Pod because-");
  expect(climbed.at(-1)).toBe("kubectl asks the kube-apiserver to create Deployment because.");
  await dashboard.kubectl("kubectl delete deployment because");
});

test("the palette finds views, stories and objects by the keyboard alone", async ({ dashboard, page }) => {
  const events = await deploy(dashboard, "found");
  const pod = first(events, (e) => writesPodOf("found", e));
  const stage = await open(dashboard, page, "/en/", events.at(-1)!.seq);
  await stage.press("live");
  await stage.idle();
  await page.keyboard.press("Control+k");
  await expectReadable(page, "[data-palette]");
  await page.keyboard.type("scheduler");
  await page.keyboard.press("Enter");
  await expect(page.locator("#view-scheduler")).toBeVisible();
  await expect(page).toHaveURL(/view=scheduler/);
  await page.keyboard.press("s");
  await expect(page.locator("#view-stage")).toBeVisible();
  await page.keyboard.press("/");
  await page.keyboard.type(`pods ${pod.object?.name}`);
  await page.keyboard.press("Enter");
  await expect(page.locator("#view-object h2")).toContainText(String(pod.object?.name));
  await page.keyboard.press("?");
  await expect(page.locator("[data-legend]")).toContainText("Ctrl K");
  await page.keyboard.press("Escape");
  await dashboard.kubectl("kubectl delete deployment found");
});

test("a link for notes leads back to the same state", async ({ dashboard, page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const events = await deploy(dashboard, "linked");
  const cycle = first(events, (e) => e.kind === "schedule");
  const stage = await open(dashboard, page, `/ko/?view=scheduler#at=${cycle.seq}`, events.at(-1)!.seq);
  await stage.setTheme("projector");
  await page.keyboard.press("c");
  await expect(page.locator("[data-caption-text]")).toContainText("마크다운");
  const markdown = await page.evaluate(() => navigator.clipboard.readText());
  const [, url] = /^\[.*\]\((http.*)\)$/.exec(markdown) ?? [];
  expect(url).toContain("view=scheduler");
  const copy = await context.newPage();
  await copy.goto(url ?? "");
  const there = await page.evaluate(() => window.kubestage.playhead());
  await copy.waitForFunction((seq) => window.kubestage?.playhead() === seq, there);
  await expect(copy.locator("html")).toHaveAttribute("data-theme", "projector");
  await expect(copy.locator("html")).toHaveAttribute("lang", "ko");
  await expect(copy.locator("#view-scheduler .won")).toBeVisible();
  await copy.close();
  await dashboard.kubectl("kubectl delete deployment linked");
});

let told: Promise<KubeEvent[]> | undefined;

for (const view of views) {
  test(`the ${view} view can be read by everybody`, async ({ dashboard, page }) => {
    told ??= deploy(dashboard, "read");
    const events = await told;
    for (const lang of ["en", "ko"]) {
      await open(dashboard, page, `/${lang}/?view=${view}#at=${events.at(-1)!.seq}`, events.at(-1)!.seq);
      expect(await page.locator(`#view-${view}`).innerHTML()).not.toBe("");
      await expectReadable(page, `#view-${view}`);
    }
  });
}
