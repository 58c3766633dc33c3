"use strict";
Redoc.init("openapi.json", { hideDownloadButton: false, nativeScrollbars: true, expandResponses: "200,201,202" }, document.getElementById("redoc"));
