var e=localStorage.getItem("kubestage.theme"),t=e==="light"||e==="dark"||e==="projector"?e:matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light";document.documentElement.dataset.theme=t;
