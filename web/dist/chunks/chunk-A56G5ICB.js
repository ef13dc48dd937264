import{a as d,c as u}from"./chunk-GTVRFID3.js";function l(){let e="";return n=>{let t=(e+n).split(`
`);return e=t.pop()??"",t}}async function b(e,n,t,p){let s=await u("POST",e,n,p);if(!s.body)return;let f=l(),i=r=>{for(let o of f(r)){let c=d(o);c&&t(c)}},g=s.body.getReader(),a=new TextDecoder;for(;;){let{done:r,value:o}=await g.read();if(r)break;i(a.decode(o,{stream:!0}))}i(`${a.decode()}
`)}function w(e){return e instanceof DOMException&&e.name==="AbortError"}export{b as a,w as b};
