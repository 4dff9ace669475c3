/* Shows one raw log: log.html#SWEEP/BOARD/TRIAL reads logs/SWEEP/BOARD.js, which calls us back. */
"use strict";
(() => {
  const NAME = /^[a-z0-9._-]+$/;
  let wanted = null;

  window.jetbenchLogs = async (logs) => {
    const message = document.getElementById("log-message");
    const packed = logs[wanted];
    if (packed === undefined) {
      message.textContent = "There is no such log in this report.";
      return;
    }
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    document.getElementById("log").textContent = await new Response(stream).text();
    message.textContent = "As the board wrote it.";
  };

  const show = () => {
    const address = window.location.hash.slice(1);
    if (!address) return;
    const [sweep, board, trial] = address.split("/");
    if (![sweep, board, trial].every((part) => part && NAME.test(part) && !part.startsWith("."))) {
      document.getElementById("log").textContent = "";
      document.getElementById("log-message").textContent = "This is the address of no log.";
      return;
    }
    wanted = trial;
    document.getElementById("log").textContent = "";
    document.getElementById("log-title").textContent = `Raw log of trial ${trial} on ${board}, ${sweep}`;
    document.title = `${board}, trial ${trial}`;
    const script = document.createElement("script");
    script.src = `logs/${sweep}/${board}.js`;
    script.onerror = () => {
      document.getElementById("log-message").textContent = "The raw logs of this sweep are not part of this report.";
    };
    document.head.append(script);
  };

  document.addEventListener("DOMContentLoaded", show);
  window.addEventListener("hashchange", show);
})();
