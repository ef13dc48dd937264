// The page is there before the cluster is, and shows how it boots.
import { Stage } from "../pages/stage.ts";
import { expect, test } from "../test.ts";

test("the page shows the cluster booting, component by component, then ready", async ({ freshDashboard, page }) => {
  const stage = new Stage(page);
  await stage.open(freshDashboard.url, "/en/");
  await stage.realSpeed();
  await stage.showsComponent("etcd", "ready");
  await stage.showsComponent("kube-apiserver", "ready");
  await stage.showsComponent("kube-scheduler", "ready");
  await stage.showsComponent("kube-controller-manager", "ready");
  for (const node of ["node-1", "node-2", "node-3"])
    await expect(stage.part(`node:${node}`)).not.toHaveClass(/notready|ghost/, { timeout: 60_000 });

  const events = await freshDashboard.events();
  const ready = (name: string) =>
    events.find((e) => e.kind === "component" && e.to === name && e.verb === "ready")?.seq ?? 0;
  expect(ready("etcd")).toBeLessThan(ready("kube-apiserver"));
  for (const name of [
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet:node-1",
    "kubelet:node-2",
    "kubelet:node-3",
  ]) {
    expect(ready("kube-apiserver"), name).toBeLessThan(ready(name));
    expect(freshDashboard.stderr).toContain(name);
  }
});
