export { startApplication } from './application.js';
export { startWebServer } from './web-server.js';
