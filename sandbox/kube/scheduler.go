//go:build !nosandbox

package kube

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/cli/globalflag"
	basecompatibility "k8s.io/component-base/compatibility"
	"k8s.io/component-base/logs"
	logsapi "k8s.io/component-base/logs/api/v1"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/cmd/kube-scheduler/app"
	"k8s.io/kubernetes/cmd/kube-scheduler/app/options"
)

// runScheduler is upstream's runCommand (cmd/kube-scheduler/app/server.go:119)
// with one step more: between Setup and Run the scheduler's own functions are
// wrapped, so that each cycle tells what it saw. No plugin is renamed or added
// and no pod is annotated.
func runScheduler(args []string) int {
	if err := schedule(args); err != nil {
		fmt.Fprintln(os.Stderr, "kube-scheduler:", err)
		return 1
	}
	return 0
}

func schedule(args []string) error {
	opts := options.NewOptions()
	globalflag.AddGlobalFlags(opts.Flags.FlagSet("global"), "kube-scheduler", logs.SkipLoggingConfigurationFlags())
	flags := pflag.NewFlagSet("kube-scheduler", pflag.ContinueOnError)
	for _, f := range opts.Flags.FlagSets {
		flags.AddFlagSet(f)
	}
	w := newWitness()
	if !w.mute() {
		// Opportunistic batching lets a pod that looks like the last one skip
		// Filter and Score (pkg/scheduler/schedule_one.go, GetNodeHint). A
		// learner would see two of three replicas placed for no stated reason.
		args = append(args, "--feature-gates=OpportunisticBatching=false")
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := opts.ComponentGlobalsRegistry.Set(); err != nil {
		return err
	}
	gates := opts.ComponentGlobalsRegistry.FeatureGateFor(basecompatibility.DefaultKubeComponent)
	if err := logsapi.ValidateAndApply(opts.Logs, gates); err != nil {
		return err
	}
	runtime.ReallyCrash = true
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-server.SetupSignalHandler()
		cancel()
	}()
	completed, sched, err := app.Setup(ctx, opts)
	if err != nil {
		return err
	}
	if !w.mute() {
		newCycles(w).attach(sched)
	}
	err = app.Run(ctx, completed, sched)
	if ctx.Err() != nil {
		klog.Flush()
		return nil
	}
	return err
}
