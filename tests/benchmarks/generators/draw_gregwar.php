<?php
// Draw a picture with Gregwar/Captcha (Debian: php-gregwar-captcha) and its defaults: php draw_gregwar.php TEXT FILE
require_once 'Gregwar/Captcha/autoload.php';

$builder = new Gregwar\Captcha\CaptchaBuilder($argv[1]);
$builder->build();
file_put_contents("$argv[2].jpeg", $builder->get());
imagepng(imagecreatefromjpeg("$argv[2].jpeg"), $argv[2]);
unlink("$argv[2].jpeg");
