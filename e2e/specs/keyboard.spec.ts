// The first lesson without a mouse and without eyes: keys alone, and what live
// regions say alone. With reduced motion, as those set it who need it.
import { Keyboard, Listener } from "../pages/keyboard.ts";
import { expect, test } from "../test.ts";

test("the first lesson by keyboard and by what is said", async ({ dashboard, page }) => {
  test.setTimeout(240_000);
  await page.emulateMedia({ reducedMotion: "reduce" });
  const listener = await Listener.of(page);
  const keyboard = await Keyboard.of(page);
  await page.goto(`${dashboard.url}/en/`);
  await keyboard.tabTo(/the birth of a pod/);
  await page.keyboard.press("Enter");
  await page.waitForURL(/chapter\/pod-birth$/);
  await page.waitForFunction(() => window.kubestage?.idle());

  // Where each token has been drawn, from frame to frame.
  await page.evaluate(() => {
    const places = new Map<string, Set<string>>();
    Object.assign(window, { places });
    const look = () => {
      for (const t of document.querySelectorAll(".token-layer [data-token]")) {
        const at = /translate\([^)]*\)/.exec(t.outerHTML)?.[0] ?? "";
        const id = t.getAttribute("data-token") ?? "";
        places.set(id, (places.get(id) ?? new Set()).add(at));
      }
      requestAnimationFrame(look);
    };
    look();
  });

  const before = await dashboard.lastSeq();
  await keyboard.tabTo(/^Only one node passes/);
  await page.keyboard.press("ArrowDown");
  await listener.hears([/^Noted/]);
  await keyboard.tabTo(/^Run \(button\)/);
  await page.keyboard.press("Enter");
  for (let i = 0; i < 2; i++) await page.keyboard.press("+");
  await listener.hears([
    /^kubectl asks the kube-apiserver to create Pod hello\.$/,
    /^The kube-apiserver writes Pod hello to etcd: revision \d+\.$/,
    /tells .*kube-scheduler.* that Pod hello is new/,
    /^kube-scheduler chooses node-\d for Pod hello: 3 of 3 nodes/,
    /^kube-scheduler binds Pod hello to node-\d/,
    /tells .*the kubelet of node-\d.* that Pod hello changed/,
    /Running/,
    /bears out all \d+ claims/,
  ]);
  const answers = (await listener.all()).filter((h) => /predicted\./.test(h.text));
  expect(answers.length, "the answer to the prediction is said once").toBe(1);

  // Nothing was left out: what was said of the run is what the transcript has.
  await keyboard.tabTo(/^Notes \(tab\)/, "Shift+Tab");
  await page.keyboard.press("ArrowRight");
  await expect(page.locator("#tab-transcript")).toBeFocused();
  const end = (await dashboard.events(before)).find(
    (e) => e.kind === "etcd" && e.object?.name === "hello" && JSON.stringify(e.detail).includes('"phase":"Running"'),
  );
  const within = (seq: number) => seq > before && seq <= (end?.seq ?? 0);
  const written = await page
    .locator("#panel-transcript [data-seq]")
    .evaluateAll((rows) => rows.map((r) => Number(r.getAttribute("data-seq"))));
  const heard = (await listener.all()).map((h) => h.seq);
  expect(heard.filter(within)).toEqual(written.filter(within));
  expect(heard.filter(within).length).toBeGreaterThan(12);
  // Nothing travelled: a token stands where it sets out, or where it arrives.
  const most = await page.evaluate(() =>
    Math.max(...[...(window as unknown as { places: Map<string, Set<string>> }).places.values()].map((s) => s.size)),
  );
  expect(most, "places of one token").toBeLessThanOrEqual(4);

  // Back to the text, and the checkpoint.
  await page.keyboard.press("ArrowLeft");
  const type = async (command: string, answer: RegExp) => {
    const said = (await listener.all()).length;
    await page.keyboard.type(command);
    await page.keyboard.press("Enter");
    await listener.hears([answer], said);
  };
  await keyboard.tabTo(/^kubectl command/);
  await type("kubectl run first --image=nginx:1.29", /^Done, 1 line/);
  await type("kubectl wait pod first --for=condition=Ready", /^Done, 1 line/);
  await type("kubectl delete pod first", /^Done, 1 line/);
  const said = (await listener.all()).length;
  await keyboard.tabTo(/^Look at my cluster/, "Shift+Tab");
  await page.keyboard.press("Enter");
  await listener.hears([/^Passed/], said);
});

test("wherever Tab goes, the focus can be seen, on every page", async ({ dashboard, page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  const keyboard = await Keyboard.of(page);
  for (const path of [
    ...["?view=sequence", "?view=etcd", "?view=scheduler", "?view=object", "?open=kube-apiserver", "?open=etcd"],
    ...["book", "glossary", "search?q=pod", "notes", "progress", "board", "design", "present"],
  ]) {
    await page.goto(`${dashboard.url}/en/${path}`);
    if (await page.locator("#stage").count()) await page.waitForFunction(() => window.kubestage?.idle());
    const { count, unseen } = await keyboard.stops();
    expect(count, path).toBeGreaterThan(2);
    expect(unseen, path).toEqual([]);
  }
});
