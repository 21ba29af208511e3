/** The thread in which pdf.js takes PDF files apart; its module starts itself. */
import "pdfjs-dist/legacy/build/pdf.worker.mjs";
